#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Manual pages against the sources that they are about: every key has a
# default and an example, and is in etc/mxnss.conf; every option is there.

set -u
: "${top_srcdir:?}" "${top_builddir:?}"
cd "$top_srcdir" || exit 1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
bad=0

# same NAME: $dir/a and $dir/b are.
same()
{
	if [ -s "$dir/a" ] && diff "$dir/a" "$dir/b"; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		bad=1
	fi
}

page=shim/base/mxnss.conf.5
sed -n '/keys\[\] = {/,/^};/s/^\t{ "\([a-z-]*\)".*/\1/p' shim/base/conf.c |
    sort >"$dir/a"
sed -n 's/^\.It Cm \([a-z-]*\)$/\1/p' $page | sort >"$dir/b"
same "mxnss.conf(5) has the keys of conf.c"
sed -n 's/^#\([a-z-]*\): .*/\1/p' etc/mxnss.conf | sort >"$dir/b"
same "etc/mxnss.conf has them, too"
awk '/^\.It Cm [a-z-]*$/ { key = $3 }
    /^Default:/ { d[key] = 1 }
    /^Example:/ { getline; if ($0 ~ "^\\.(Li|Ql|Dl) \"?" key ":") e[key] = 1 }
    END { for (key in d) if (e[key]) print key }' $page | sort >"$dir/b"
same "each with its default and an example"

# Letters, and the modes of -b.
page=shim/submit/sendmail.8
{
	sed -n "/options\\[\\] = {/,/^};/s/^\t{ '\\(.\\)'.*/\\1/p" \
	    shim/submit/opts.c | grep -v '^b$'
	sed -n "/modes\\[\\] = {/,/^};/s/^\t{ '\\(.\\)'.*/b\\1/p" \
	    shim/submit/opts.c
} | sort >"$dir/a"
sed -n 's/^\.\(It \)\{0,1\}Fl //p' $page | tr ' ' '\n' |
    sed -n '/^[A-Za-z]$/p; /^b[A-Za-z]$/p; s/^\(o\).$/\1/p' | sort -u |
    comm -12 "$dir/a" - >"$dir/b"
same "sendmail(8) has the options of opts.c"

# Each option of the list, or several that are explained as one.
for page in shim/submit/sendmail.8 shim/submit/mailq.1; do
	awk '/^\.Bl / { depth++ } /^\.El/ { depth-- }
	    /^\.It (Fl|Cm) / && depth == 1 { if (told) name = ""; told = 0
		name = name " " $3; next }
	    /^(Example|Instead):/ { e[name] = 1 }
	    { if (name != "") { d[name] = 1; told = 1 } }
	    /^\.(El|Sh|Ss)/ && depth == 0 { name = ""; told = 0 }
	    END { for (name in d) print (e[name] ? "with" : "without") name }' \
	    $page | sort >"$dir/a"
	sed 's/^without/with/' "$dir/a" >"$dir/b"
	same "$page has an example for each option"
done

# long SOURCE PAGE: those of getopt_long(3).
long()
{
	sed -n 's/^\t{ "\([a-z]*\)", [a-z]*_argument, .*/\1/p' "$1" |
	    sort >"$dir/a"
	sed -n 's/^\.It Fl \(.*\)/\1/p' "$2" | tr ' ' '\n' |
	    sed -n 's/^[\]\{0,1\}-\([a-z]\{1,\}\)$/\1/p' | sort -u >"$dir/b"
	same "$2 has the options of $1"
}
long shim/run/runner.c shim/run/mxnss-runner.8
long shim/local/mailbox.c shim/local/mxnss-mailbox.8
long shim/check/mxcheck.c shim/check/mxcheck.8
long shim/submit/mailq.c shim/submit/mailq.1
long nss/tool/getmx.c nss/tool/getmx.1
[ "$bad" -eq 0 ]
