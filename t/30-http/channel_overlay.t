# What the operator puts over the channels of nginx.conf: live in each worker
# within a second, without a reload, and kept over one; and a task that comes by
# a channel, with its name, prices and actions.

use strict;
use warnings;
use Test::More;
use Digest::SHA qw( sha256_hex );
use JSON::PP ();
use MIME::Base64 qw( decode_base64url );
use Podi::Stack;
use Podi::Work;

my $key = 'k-of-a-partner-0123456789';
my $s = Podi::Stack->new(http => <<'EOS', server => <<'EOT')->start('pg', 'redis');
podi_channel_overlay on;
podi_channel partner {
    path /partner/;
    origins https://partner.example;
    price_list gold;
}
EOS
add_header X-Pid $pid always;
location /partner/ { return 200 "in"; }
location /added/ { return 200 "in"; }
EOT

my $json = JSON::PP->new->utf8;
my $ann = $s->member('ann', points => 1000);
my $ctl = $s->db->login('podi_ctl');

$ctl->all(undef, 'select * from sys.channel_kill(?, true)', 'early');
$s->start('nginx');


# an answer that every worker gives; one that gives another begins it anew
sub all_say
{
    my ($status, $path, %more) = @_;
    my %said;

    return $s->wait_for(sub {
        my $res = $s->get($path, %more, headers => { Connection => 'close',
                                                     %{ $more{headers} // {} } });

        %said = () if $res->status != $status;
        $said{$res->header('X-Pid')} = 1 if $res->status == $status;
        return !grep { !$said{$_} } $s->nginx->workers;
    }, 5, 'all workers');
}


sub put
{
    my ($name, %settings) = @_;

    return $ctl->one(undef, 'select * from sys.channel_put(?, ?)', $name,
                     $json->encode(\%settings));
}

sub kill_it { $ctl->one(undef, 'select * from sys.channel_kill(?, ?)', @_) }


# the switch

ok all_say(200, '/partner/x'), 'open at first';
kill_it('partner', 1);
ok all_say(403, '/partner/x'), 'closed everywhere';
is $s->get('/partner/x')->json->{code}, 'channel_closed', 'and it says so';
is $s->get('/healthz')->status, 200, 'what comes by no channel is open';

$s->nginx->reload;
ok all_say(403, '/partner/x'), 'closed after a reload as well';
kill_it('partner', 0);
ok all_say(200, '/partner/x'), 'and open again';

# settings

put('added', path => ['/added/'], kill => 'on');
ok all_say(403, '/added/x'), 'one that nginx.conf does not know';
put('added', kill => undef);
ok all_say(200, '/added/x'), 'and not closed any more';

# the row is written behind sys.channel_put, which would not take it
$s->allow_errors(qr{"upload_max" is no size});
$s->sql(q{update podi.channel set settings = settings || '{"upload_max": "x"}'
           where channel = 'added'});
ok all_say(403, '/added/x'), 'a row that cannot be read closes its channel';
is $s->get('/partner/x')->status, 200, 'and no other one';

# an order

my $w = Podi::Work->new($s->db);
my $pic = $w->media($ann);

$ctl->one(undef, 'select * from sys.price_put(?)', $json->encode({
    action => 'image.thumbnail', channel => 'gold', base => 7,
    reason => 'test' }));
put('partner', app_key_sha256 => [ sha256_hex($key) ],
    actions => ['image.thumbnail'], upload_max => '1k',
    upload_types => ['image/png']);

my %keyed = (headers => { 'X-App-Key' => $key, Connection => 'close' });

ok all_say(200, '/partner/x', %keyed), 'the key is known';
ok all_say(403, '/partner/x', headers => { 'X-App-Key' => "$key." }),
    'and another one is not';

my $order = { inputs => [$pic], actions => [ { action => 'image.thumbnail' } ] };
my $own = $s->post('/v1/tasks/quote', as => $ann, json => $order)->json;
my $quote = $s->post('/v1/tasks/quote', as => $ann, json => $order, %keyed)->json;

is $quote->{price}, 7, 'the price list of the channel';
isnt $own->{price}, 7, 'which others do not have';

my $task = $s->post('/v1/tasks', as => $ann, %keyed,
                    json => { %$order, quote => $quote->{quote} });
is $task->status, 201, 'a task comes by it';
is $task->json->{channel}, 'partner', 'and says so';
is $task->json->{price}, 7, 'for its price';
is $s->post('/v1/tasks', as => $ann, json => $order)->json->{channel},
   'default', 'without a channel it has the name of none';
is $s->post('/v1/tasks', as => $ann,
            json => { %$order, quote => $quote->{quote} })->json->{code},
   'quote_changed', 'a quote of a channel is good in it only';

my $not = { inputs => [$pic], actions => [ { action => 'image.resize',
                                             params => { width => 9 } } ] };
my $r = $s->post('/v1/tasks', as => $ann, json => $not, %keyed);
is $r->status, 403, 'an action that it does not have';
is $r->json->{code}, 'channel_forbids', 'is told as such';
is $r->json->{field}, 'actions[0].action', 'with its place';
is $s->post('/v1/tasks', as => $ann, json => $not)->status, 201,
   'and taken elsewhere';
is_deeply [ map { $_->{action} }
            @{ $s->get('/v1/actions', as => $ann, %keyed)->json->{items} } ],
   ['image.thumbnail'], 'the list has no others';

my $batch = $s->post('/v1/tasks/batch', as => $ann, %keyed,
                     json => { orders => [ $not, $order ] })->json;
is_deeply [ map { $_->{problem} ? $_->{problem}{code} : $_->{task}{channel} }
            @{ $batch->{items} } ], [ 'channel_forbids', 'partner' ],
   'of a batch each by itself';

# uploads

my $limits = $s->get('/v1/media/limits', as => $ann, %keyed)->json;
is $limits->{max_bytes}, 1024, 'the ceiling of the channel is shown';
is_deeply $limits->{types}, ['image/png'], 'and its types';
for my $bad ([ 'image/png', 1025, 'media_too_large' ],
             [ 'image/jpeg', 9, 'media_type' ]) {
    is $s->post('/v1/media/uploads', as => $ann, %keyed, json => { items => [
        { name => 'a', type => $bad->[0], bytes => $bad->[1] } ] })
        ->json->{code}, $bad->[2], "$bad->[2]";
}

# somebody who signs in by it has a token that is bound to it

my $carl = $s->register('carl');
$s->login($carl, %keyed);
my ($claims) = $carl->{token} =~ /\.(.*)\./;
is $json->decode(decode_base64url($claims))->{chn}, 'partner',
   'who signs in by a channel has a token of it';

# it is read for no tenant: none needs to be there

$s->sql("update podi.tenant set slug = 'elsewhere' where slug = 'demo'");
kill_it('partner', 1);
ok all_say(403, '/partner/x'), 'closed without any tenant that nginx knows';
kill_it('partner', 0);
ok all_say(200, '/partner/x'), 'and open';

# the database is away: what was read last holds

kill_it('partner', 1);
ok all_say(403, '/partner/x'), 'closed once more';
$s->allow_errors(qr{terminating connection|PostgreSQL});
$s->sql("select pg_terminate_backend(pid) from pg_stat_activity"
        . " where usename = 'podi_web'");
is $s->get('/partner/x')->status, 403, 'and it stays so without PostgreSQL';

$s->done;
done_testing;
