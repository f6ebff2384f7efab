#!/bin/sh
# SPDX-License-Identifier: ISC
#
# T-2: every system call fails; see README.md.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/crash/lib.sh"
crash_start "$@"
crash_run error.py
