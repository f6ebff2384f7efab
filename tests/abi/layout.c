/* SPDX-License-Identifier: ISC */
/*
 * What a program that was compiled against the first release has built in:
 * where each member of a public struct is, with pointers of 8 and of 4
 * octets, and the value of each constant.  A new member goes to the end of
 * its struct, and a line is added here; no line is ever changed.
 */
#include "config.h"

#include <stddef.h>

#include <mxdb.h>
#include <mxnss.h>
#include <mxres.h>

#define AT(type, member, lp64, ilp32)					\
	_Static_assert(offsetof(struct type, member) ==		\
	    (sizeof(void *) == 8 ? (lp64) : (ilp32)), #type "." #member)
/* Those that stand in arrays cannot grow. */
#define SIZE(type, lp64, ilp32)						\
	_Static_assert(sizeof(struct type) ==				\
	    (sizeof(void *) == 8 ? (lp64) : (ilp32)), #type)
#define IS(name, value)							\
	_Static_assert((name) == (value), #name)

/* --- <mxres.h> ----------------------------------------------------------- */

SIZE(mxres_mx, 16, 12);
AT(mxres_mx, host, 0, 0);
AT(mxres_mx, pref, 8, 4);
AT(mxres_mx, ttl, 12, 8);

SIZE(mxres_addr, 24, 24);
AT(mxres_addr, family, 0, 0);
AT(mxres_addr, ttl, 4, 4);
AT(mxres_addr, addr, 8, 8);

SIZE(mxres_tlsa, 24, 16);
AT(mxres_tlsa, usage, 0, 0);
AT(mxres_tlsa, selector, 1, 1);
AT(mxres_tlsa, mtype, 2, 2);
AT(mxres_tlsa, usable, 3, 3);
AT(mxres_tlsa, ttl, 4, 4);
AT(mxres_tlsa, data, 8, 8);
AT(mxres_tlsa, len, 16, 12);

SIZE(mxres_txt, 24, 12);
AT(mxres_txt, data, 0, 0);
AT(mxres_txt, len, 8, 4);
AT(mxres_txt, ttl, 16, 8);

SIZE(mxres_ptr, 16, 8);
AT(mxres_ptr, host, 0, 0);
AT(mxres_ptr, ttl, 8, 4);

SIZE(mxres_note, 16, 8);
AT(mxres_note, kind, 0, 0);
AT(mxres_note, text, 8, 4);

AT(mxres_answer, status, 0, 0);
AT(mxres_answer, qname, 8, 4);
AT(mxres_answer, cname, 16, 8);
AT(mxres_answer, mx, 24, 12);
AT(mxres_answer, nmx, 32, 16);
AT(mxres_answer, addr, 40, 20);
AT(mxres_answer, naddr, 48, 24);
AT(mxres_answer, ttl, 56, 28);
AT(mxres_answer, flags, 60, 32);
AT(mxres_answer, rcode, 64, 36);
AT(mxres_answer, error, 68, 40);
AT(mxres_answer, server, 72, 44);
AT(mxres_answer, note, 136, 108);
AT(mxres_answer, nnote, 144, 112);
AT(mxres_answer, tlsa, 152, 116);
AT(mxres_answer, ntlsa, 160, 120);
AT(mxres_answer, txt, 168, 124);
AT(mxres_answer, ntxt, 176, 128);
AT(mxres_answer, ptr, 184, 132);
AT(mxres_answer, nptr, 192, 136);

IS(MXRES_TEMP_FIRST, 10);
IS(MXRES_TEMP_LAST, 29);
IS(MXRES_F_SECURE, 1);
IS(MXRES_F_CNAME, 2);
IS(MXRES_F_PARTIAL, 4);
IS(MXRES_OK, 0);
IS(MXRES_NODATA, 1);
IS(MXRES_NULLMX, 2);
IS(MXRES_NXDOMAIN, 3);
IS(MXRES_TIMEOUT, 10);
IS(MXRES_NOSERVER, 11);
IS(MXRES_AGAIN, 12);
IS(MXRES_SERVFAIL, 13);
IS(MXRES_REFUSED, 14);
IS(MXRES_BADRESP, 15);
IS(MXRES_NOMEM, 16);
IS(MXRES_BADNAME, 30);
IS(MXRES_INVAL, 31);
IS(MXRES_DNSSEC_AUTO, 0);
IS(MXRES_DNSSEC_TRUST, 1);
IS(MXRES_DNSSEC_OFF, 2);
IS(MXRES_NOTE_MALFORMED, 1);
IS(MXRES_NOTE_BADHOST, 2);
IS(MXRES_NOTE_ADDRESS, 3);
IS(MXRES_NOTE_NULLMIX, 4);
IS(MXRES_NOTE_DUPLICATE, 5);
IS(MXRES_NOTE_TOOMANY, 6);
IS(MXRES_NOTE_BADADDR, 7);

/* --- <mxdb.h> ------------------------------------------------------------ */

AT(mxaddr, ma_next, 0, 0);
AT(mxaddr, ma_addr, 8, 4);
AT(mxaddr, ma_addrlen, 16, 8);
AT(mxaddr, ma_family, 20, 12);
AT(mxaddr, ma_ttl, 24, 16);
AT(mxaddr, ma_flags, 28, 20);

AT(mxent, mx_next, 0, 0);
AT(mxent, mx_host, 8, 4);
AT(mxent, mx_pref, 16, 8);
AT(mxent, mx_port, 18, 10);
AT(mxent, mx_ttl, 20, 12);
AT(mxent, mx_flags, 24, 16);
AT(mxent, mx_addrerr, 28, 20);
AT(mxent, mx_tls, 32, 24);
AT(mxent, mx_tlsname, 40, 28);
AT(mxent, mx_auth, 48, 32);
AT(mxent, mx_addrs, 56, 36);
AT(mxent, mx_source, 64, 40);
AT(mxent, mx_origin, 72, 44);

AT(mxnote, mn_next, 0, 0);
AT(mxnote, mn_text, 8, 4);

AT(mxinfo, mi_mx, 0, 0);
AT(mxinfo, mi_qname, 8, 4);
AT(mxinfo, mi_cname, 16, 8);
AT(mxinfo, mi_source, 24, 12);
AT(mxinfo, mi_origin, 32, 16);
AT(mxinfo, mi_text, 40, 20);
AT(mxinfo, mi_dsn, 48, 24);
AT(mxinfo, mi_error, 56, 28);
AT(mxinfo, mi_rcode, 60, 32);
AT(mxinfo, mi_errno, 64, 36);
AT(mxinfo, mi_ttl, 68, 40);
AT(mxinfo, mi_flags, 72, 44);
AT(mxinfo, mi_count, 76, 48);
AT(mxinfo, mi_notes, 80, 52);

AT(mxtrace, mt_event, 0, 0);
AT(mxtrace, mt_flags, 4, 4);
AT(mxtrace, mt_domain, 8, 8);
AT(mxtrace, mt_source, 16, 12);
AT(mxtrace, mt_arg, 24, 16);
AT(mxtrace, mt_status, 32, 20);
AT(mxtrace, mt_action, 40, 24);
AT(mxtrace, mt_text, 48, 28);
AT(mxtrace, mt_origin, 56, 32);
AT(mxtrace, mt_rule, 64, 36);
AT(mxtrace, mt_error, 72, 40);
AT(mxtrace, mt_usec, 80, 44);
AT(mxtrace, mt_mx, 88, 52);
AT(mxtrace, mt_notes, 96, 56);

AT(mxhints, mh_size, 0, 0);
AT(mxhints, mh_flags, 8, 4);
AT(mxhints, mh_family, 12, 8);
AT(mxhints, mh_timeout, 16, 12);
AT(mxhints, mh_rcpt, 24, 16);
AT(mxhints, mh_self, 32, 20);
AT(mxhints, mh_sources, 40, 24);
AT(mxhints, mh_servers, 48, 28);
AT(mxhints, mh_dnssec, 56, 32);
AT(mxhints, mh_trace, 64, 36);
AT(mxhints, mh_tracearg, 72, 40);

IS(MX_OK, 0);
IS(MX_ETIMEOUT, 1);
IS(MX_ENOSERVER, 2);
IS(MX_EAGAIN, 3);
IS(MX_ESERVFAIL, 4);
IS(MX_EREFUSED, 5);
IS(MX_EBADRESP, 6);
IS(MX_EADDRAGAIN, 7);
IS(MX_EDEFER, 8);
IS(MX_ESOURCE, 9);
IS(MX_ECONFIG, 10);
IS(MX_ENOMEM, 11);
IS(MX_ESYSTEM, 12);
IS(MX_EINVAL, 13);
IS(MX_ENXDOMAIN, 100);
IS(MX_ENULLMX, 101);
IS(MX_ENOADDR, 102);
IS(MX_ELOOP, 103);
IS(MX_EREJECT, 104);
IS(MX_EBADNAME, 105);
IS(MX_EUNUSABLE, 106);
IS(MX_TLS_DEFAULT, 0);
IS(MX_TLS_NONE, 1);
IS(MX_TLS_MAY, 2);
IS(MX_TLS_ENCRYPT, 3);
IS(MX_TLS_VERIFY, 4);
IS(MX_TLS_DANE, 5);
IS(MXE_IMPLICIT, 1);
IS(MXE_SECURE, 2);
IS(MXE_LITERAL, 4);
IS(MXE_LOCALCONF, 8);
IS(MXE_CNAME, 16);
IS(MXE_IMPLICITTLS, 32);
IS(MXA_SECURE, 1);
IS(MXI_IMPLICIT, 1);
IS(MXI_SECURE, 2);
IS(MXI_SELFCUT, 4);
IS(MXI_MERGED, 8);
IS(MXI_PARTIAL, 16);
IS(MXI_BYRCPT, 32);
IS(MXH_ADDRS, 1);
IS(MXH_DNSSEC, 2);
IS(MXH_NOIMPLICIT, 4);
IS(MXH_NOSELFCUT, 8);
IS(MXH_NORANDOM, 16);
IS(MXH_NOFILES, 32);
IS(MXH_ASKALL, 64);
IS(MXT_LIST, 1);
IS(MXT_SOURCE, 2);
IS(MXT_BORROW, 3);
IS(MXT_DROPPED, 4);
IS(MXT_ADDRS, 5);
IS(MXT_UNUSED, 1);

/* --- <mxnss.h> ----------------------------------------------------------- */

AT(mxnss_query, size, 0, 0);
AT(mxnss_query, domain, 8, 4);
AT(mxnss_query, rcpt, 16, 8);
AT(mxnss_query, flags, 24, 12);
AT(mxnss_query, deadline, 32, 16);
AT(mxnss_query, servers, 40, 24);
AT(mxnss_query, dnssec, 48, 28);

AT(mxnss_record, size, 0, 0);
AT(mxnss_record, host, 8, 4);
AT(mxnss_record, pref, 16, 8);
AT(mxnss_record, port, 18, 10);
AT(mxnss_record, ttl, 20, 12);
AT(mxnss_record, flags, 24, 16);
AT(mxnss_record, tls, 28, 20);
AT(mxnss_record, tlsname, 32, 24);
AT(mxnss_record, auth, 40, 28);

AT(mxnss_host, size, 0, 0);
AT(mxnss_host, add, 8, 4);
AT(mxnss_host, null_mx, 16, 8);
AT(mxnss_host, fail, 24, 12);
AT(mxnss_host, nodata, 32, 16);
AT(mxnss_host, origin, 40, 20);
AT(mxnss_host, next_query, 48, 24);
AT(mxnss_host, merge, 56, 28);
AT(mxnss_host, note, 64, 32);
AT(mxnss_host, flags, 72, 36);
AT(mxnss_host, facts, 80, 40);
AT(mxnss_host, rule, 88, 44);

AT(mxnss_module, abi, 0, 0);
AT(mxnss_module, size, 4, 4);
AT(mxnss_module, name, 8, 8);
AT(mxnss_module, version, 16, 12);
AT(mxnss_module, open, 24, 16);
AT(mxnss_module, getmxbyname, 32, 20);
AT(mxnss_module, close, 40, 24);

IS(MXNSS_ABI, 1);
IS(MXNSS_TRYAGAIN, (-2));
IS(MXNSS_UNAVAIL, (-1));
IS(MXNSS_NOTFOUND, 0);
IS(MXNSS_SUCCESS, 1);
