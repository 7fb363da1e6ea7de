# DELETE at the embedded store: gone, and the same said again.

use strict;
use warnings;
use Test::More;

use Podi::S3;
use Podi::Stack;

my $s = Podi::Stack->new->start;
my $s3 = Podi::S3->new($s);
my $PNG = "\x89PNG\r\n\x1a\n" . 'p' x 1000;
my %put = ('content-length' => length $PNG, 'content-type' => 'image/png');

for my $key (qw( a/1 a/2 )) {
    is $s->put($s3->url('PUT', $key, headers => \%put), body => $PNG,
               headers => { 'content-type' => 'image/png' })->status, 200,
       "$key is there";
}

is $s->delete($s3->url('GET', 'a/1'))->status, 403,
   'a permit to read is none to remove';
is $s->delete($s3->url('DELETE', 'a/2') =~ s/a\/2/a\/1/r)->status, 403,
   'nor is one for another';
is $s->delete("http://$s3->{host}/store/podi/a/1")->status, 403, 'nor none';
is $s->get($s3->url('GET', 'a/1'))->status, 200, 'it is still there';

my $res = $s->delete($s3->url('DELETE', 'a/1'));
is $res->status, 204, 'removed';
is $res->body, '', 'without words';
is $s->get($s3->url('GET', 'a/1'))->status, 404, 'it is gone';
is $s->delete($s3->url('DELETE', 'a/1'))->status, 204, 'again: still gone';
is $s->delete($s3->url('DELETE', 'a/2', path => '/store/podi/a/..%2fa/2'))
     ->status, 400, 'a path trick';
is $s->get($s3->url('GET', 'a/2'))->status, 200, 'the other one stays';

is $s->put($s3->url('PUT', 'a/1', headers => \%put), body => $PNG,
           headers => { 'content-type' => 'image/png' })->status, 200,
   'and the key is free again';

$s->done;
done_testing;
