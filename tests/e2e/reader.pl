#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# What MIME::Parser finds in messages: names of files on standard input, and
# for each of them on standard output
#
#	H name value	a field of the message, its encoded words decoded
#	P type text	a part that has no parts, decoded
#	.		the end
#
# with value and text in base64.

use strict;
use warnings;
use MIME::Base64 qw(encode_base64);
use MIME::Parser;
use MIME::Words qw(decode_mimewords);

sub show {
	my ($entity) = @_;
	my @parts = $entity->parts;

	if (@parts) {
		show($_) foreach @parts;
		return;
	}
	my $body = $entity->bodyhandle;
	printf "P %s %s\n", lc $entity->effective_type,
	    encode_base64(defined $body ? $body->as_string : '', '');
}

while (my $name = <STDIN>) {
	my $parser = MIME::Parser->new;

	chomp $name;
	$parser->output_to_core(1);
	$parser->tmp_to_core(1);
	$parser->ignore_errors(1);
	my $entity = $parser->parse_open($name);
	my $head = $entity->head;
	foreach my $tag ($head->tags) {
		foreach my $value ($head->get_all($tag)) {
			$value =~ s/\r?\n//g;
			my $text = join '', map { $_->[0] }
			    decode_mimewords($value);
			printf "H %s %s\n", lc $tag,
			    encode_base64($text, '');
		}
	}
	show($entity);
	print ".\n";
}
