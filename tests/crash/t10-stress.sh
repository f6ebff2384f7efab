#!/bin/sh
# SPDX-License-Identifier: ISC
#
# T-10: many submitters, and runners that are killed; see README.md.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/crash/lib.sh"
crash_start "$@"
crash_run stress.py
