#!/bin/sh
# SPDX-License-Identifier: ISC
#
# T-2: every system call fails; see README.md.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/crash/lib.sh"
! grep -q __asan_init "${E2E_STAGE:-}/mnt/mxnss/sbin/sendmail" 2> /dev/null ||
    skip_all "a sanitizer ends the program when its own calls fail"
crash_start "$@"
crash_run error.py
