#!/bin/sh
# SPDX-License-Identifier: ISC
#
# T-5: power cuts, in a model; see README.md.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/crash/lib.sh"
crash_start "$@"
crash_run model.py
