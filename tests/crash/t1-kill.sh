#!/bin/sh
# SPDX-License-Identifier: ISC
#
# T-1: SIGKILL at every system call; see README.md.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/crash/lib.sh"
crash_start "$@"
crash_run kill.py
