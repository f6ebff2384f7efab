#!/bin/sh
# SPDX-License-Identifier: ISC
#
# T-4: power cuts on real file systems; see README.md.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/crash/lib.sh"
crash_start "$@"
crash_run powercut.py
