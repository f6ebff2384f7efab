#!/bin/sh
# SPDX-License-Identifier: ISC
#
# T-3: each allocation fails; see README.md.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/crash/lib.sh"
crash_start "$@"
crash_run memory.py
