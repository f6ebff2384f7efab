#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A source that is loaded from LIBDIR/mxnss: it directs the mail, and one
# that cannot be trusted or does not fit is doubt that getmx --check explains.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
MODULES=${top_builddir:-.}/tests/nss/modules
[ -f "$MODULES/mxnss_static.so" ] || skip_all "the test modules are not built"
start "$@"

# The libraries of this run, with a directory of modules.
cp -R $P/lib $T/lib
mkdir $T/lib/mxnss
mount --bind $T/lib $P/lib || skip_all "cannot mount over $P/lib"
MODULE=$P/lib/mxnss/mxnss_static.so
module()	# FILE MODE
{
	cp "$MODULES/$1" $MODULE.new
	chmod "$2" $MODULE.new
	mv $MODULE.new $MODULE
}
dns_start
mx_start a=192.0.2.11 b=192.0.2.12 home=192.0.2.10

# says DOMAIN RC EXPR: getmx -j
says()
{
	RC=0
	as alice getmx -j "$1" > $T/out 2> $T/err || RC=$?
	is "$RC" "$2" || { cat $T/out; return 1; }
	json "$3" < $T/out
}
# checks RC ERE: getmx --check
checks()
{
	RC=0
	getmx --check > $T/out 2>&1 || RC=$?
	is "$RC" "$1" && has "$(cat $T/out)" "$2"
}

conf mxhosts 'static(one.example=b.example) [UNAVAIL=return] dns'
check "no module" says one.example 75 '
    d["error"] == "MX_ESOURCE" and d["dsn"] == "4.3.5" and
    "there is no source \"static\"" in d["text"]'
check "--check says so" checks 78 'mxnss\.conf:[0-9]+: there is no source'
check "mail is accepted" mail u@one.example
check "and kept" run
check "until there is one" is "$(mx_who) $(queued)" " 1"

module mxnss_static.so 644
check "the module's exchange" says one.example 0 '
    [m["host"] for m in d["mx"]] == ["b.example"] and
    d["source"] == "static"'
check "a domain that it does not know" says three.example 0 '
    d["source"] == "dns"'
check "--check is content" checks 0 'mxnss\.conf:[0-9]+: no error'
check "the mail goes" flush
check "where the module says" is "$(mx_who) $(queued)" "b:1 0"

module mxnss_static.so 664
check "a module that others can write" says one.example 75 '
    "can be written by others" in d["text"]'
check "--config says so, too" has "$(getmx --config)" \
    '^# source "static" cannot be loaded: .*can be written by others' \
    '^mxhosts: static\(one\.example=b\.example\)'
module mxnss_hostile.so 644
check "another module in its place" says one.example 75 '
    "it has no descriptor" in d["text"]'
conf mxhosts 'static(one.example=b.example) dns'
check "without [UNAVAIL=return] the next source is asked" says one.example 0 '
    d["source"] == "dns" and
    any(n.startswith("passed over: ") for n in d["notes"])'

# No variable of the environment leads to another module.
mv $MODULE $T/elsewhere.so
mkdir -p $T/other/mxnss
cp "$MODULES/mxnss_static.so" $T/other/mxnss/
cp "$MODULES/mxnss_static.so" $T/other/
check "LD_LIBRARY_PATH is not searched" has \
    "$(cd $T/other && LD_LIBRARY_PATH=$T/other:$T/other/mxnss:. getmx -j \
	one.example)" 'passed over: there is no source'
if [ "$MULTI" -eq 1 ]; then
	module mxnss_static.so 644
	chown alice $MODULE
	check "a module that is not root's" says one.example 0 '
	    any("does not belong to root" in n for n in d["notes"])'
	chown root $MODULE
	chown alice $P/lib/mxnss
	check "nor may its directory be another's" says one.example 0 '
	    any("does not belong to root" in n for n in d["notes"])'
else
	skip "a module that is not root's" "needs root: several uids"
fi

finish
