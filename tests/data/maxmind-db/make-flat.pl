#!/usr/bin/perl
# Writes flat.mmdb with MaxMind's own writer (Debian's libmaxmind-db-writer-perl): an IPv4-only database whose records are
# flat, as those of ip-location-db and IPinfo are, and some that nobody should believe.
use strict;
use warnings;
use MaxMind::DB::Writer::Tree;

my %types = map { $_ => 'utf8_string' } qw(country_code region_code city timezone continent_code country state1);
my $tree = MaxMind::DB::Writer::Tree->new(
    ip_version            => 4,
    record_size           => 24,
    database_type         => 'Test-Flat',
    languages             => ['en'],
    description           => { en => 'flat records for the tests of floorwalker' },
    map_key_type_callback => sub { $types{ $_[0] } // 'uint32' },
    remove_reserved_networks => 0,
);
my %records = (
    '192.0.2.0/28'  => { country_code => 'CA', region_code => 'ON', city => 'Toronto', timezone => 'America/Toronto', continent_code => 'NA' },
    '192.0.2.16/28' => { country_code => 'de' },
    '192.0.2.32/28' => { country      => 'FR', region_code => 'FR-IDF' },
    '192.0.2.48/28' => { country_code => 'Canada', region_code => 'ON', city => 'Somewhere' },
    '192.0.2.64/28' => { country_code => 'US', region_code => 'California', timezone => '../../etc/passwd', continent_code => 'XX' },
    '192.0.2.80/28' => { number       => 7 },
    '192.0.2.96/28' => { country_code => 'US', region_code => 'CA-ON', city => 'x' x 200 },
);
$tree->insert_network( $_, $records{$_} ) for sort keys %records;
open my $out, '>:raw', 'flat.mmdb' or die $!;
$tree->write_tree($out);
close $out or die $!;
