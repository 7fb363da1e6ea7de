# Channels as the database has them: what the operator puts over nginx.conf, who
# may read it, and what an order of a channel may ask for.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use JSON::PP ();
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $w = Podi::Work->new($db);
my $ctl = $db->login('podi_ctl');
my $ann = $w->person('ann', 100);
my $json = JSON::PP->new->utf8->canonical;


sub put { $ctl->one(undef, 'select * from sys.channel_put(?, ?)', @_) }


my $slug = $db->super->value(undef, 'select slug from podi.tenant'
                             . ' where tenant_id = ?', $ann->{tenant});
my $row = put('partner', qq({"max_role": "user", "tenant": "$slug"}));
ok $row->{is_new}, 'a channel is put';

$row = put('partner', '{"host": ["a.example"], "tenant": null}');
ok !$row->{is_new}, 'and more of it';
is_deeply $json->decode($row->{settings}),
   { max_role => 'user', host => ['a.example'] },
   'member by member; null takes one away';

$ctl->all(undef, 'select * from sys.channel_kill(?, true)', 'only-in-conf');
is_deeply [ map { "$_->{channel} $_->{killed}" }
            @{ $ctl->all(undef, 'select * from sys.channel_list()') } ],
   [ 'only-in-conf 1', 'partner 0' ], 'one that has no row is closed as well';

for my $bad ('{"hosts": ["a"]}', '{"host": []}', '{"host": [1]}',
             '{"host": ["A.example"]}', '{"host": ["a.example/"]}',
             '{"path": ["partner"]}', '{"path": ["/a b"]}',
             '{"origins": ["https://a.example/"]}', '{"origins": ["null"]}',
             '{"origins": ["https://a.example\nhttps://b.example"]}',
             '{"tenant": "nobody"}', '{"tenant": ["demo"]}',
             '{"max_role": "root"}', '{"upload_max": 10}',
             '{"upload_max": "10q"}', '{"upload_types": ["text/html"]}',
             '{"app_key_file": "/etc/passwd"}',
             '{"app_key_sha256": ["00"]}', '{"actions": ["*"]}',
             '{"actions": ["image.*,x"]}', '{"kill": "maybe"}', '[]') {
    $ctl->refused('U0422', undef, 'select sys.channel_put(?, ?)', 'partner',
                  $bad, "refused: $bad");
}

$ctl->refused('U0422', undef, 'select sys.channel_put(?, ?)', $_, '{}',
              "no name: '$_'") for '', 'default', 'A', "a\nb", 'a b';

# who may read it

my $web = $db->login('podi_web');
my $all = $json->decode($web->value($db->gateway($ann->{tenant}),
                                    'select channels from api.channel_overlay()'));
is_deeply [ map { $_->{channel} } @$all ], [ 'only-in-conf', 'partner' ],
   'the gateway of any tenant reads all';

$web->refused('U0403', $db->as($ann), 'select * from api.channel_overlay()',
              'somebody who signed in does not');
$web->refused('42501', undef, "select sys.channel_kill('partner', true)",
              'nginx may not change it');

# as much as nginx has room for, and then some more can be closed

sub taken
{
    return $db->super->value(undef,
                             'select octet_length(internal.channel_text())');
}

sub fill_up
{
    my ($name, $bytes) = @_;

    $db->super->run(q{insert into podi.channel (channel)
                      select ? || lpad(g::text, 50, '0')
                        from generate_series(1, ?) g}, $name,
                    int(($bytes - taken()) / (51 + length
                        q({"killed": false, "channel": "", "settings": {}}, ))));
}

fill_up('a', 448 * 1024);
ok taken() > 447 * 1024, 'channels by the thousand';
$ctl->refused('U0422', undef, 'select sys.channel_put(?, ?)', 'partner',
              $json->encode({ host => [ map { "$_.example" } 100 .. 200 ] }),
              'more than nginx has room for');
ok $ctl->one(undef, 'select * from sys.channel_kill(?, true)', 'leaked')->{killed},
   'one more can be closed';
fill_up('b', 512 * 1024);
$ctl->refused('U0422', undef, 'select sys.channel_kill(?, true)', 'z' x 62,
              'and told when it would not be');
ok $ctl->one(undef, 'select * from sys.channel_kill(?, true)', 'partner')->{killed},
   'what is there can be closed always';
$db->super->run(q{delete from podi.channel where length(channel) = 51});

# what may be ordered

my $pic = $w->media($ann);
my %order = (
    list  => { inputs => [$pic], actions => [ { action => 'image.thumbnail' },
                                              { action => 'image.resize',
                                                params => { width => 10 } } ] },
    graph => { jobs => [ { key => 'a', action => 'image.resize',
                           params => { width => 10 },
                           inputs => [ { media => $pic } ] } ] },
);


sub quote
{
    my ($order, $actions) = @_;

    return ($db->as($ann), 'select price from api.task_quote(?, ?, ?)',
            $json->encode($order), 'partner', $actions);
}


ok defined $web->value(quote($order{list}, $_)), 'all of it: ' . ($_ // 'any')
    for undef, '{image.*}', '{image.resize,image.thumbnail}';

my %at = (list => 'actions[1].action', graph => 'jobs[0].action');

for my $form (sort keys %order) {
    for my $actions ('{image.thumbnail}', '{image.thumb*}', '{imag.*}', '{}',
                     '{image.resize.*,image.thumbnail}') {
        my $e = $web->refused('U0435', quote($order{$form}, $actions),
                              "$form, with $actions");

        like $e->{detail}, qr/\Q$at{$form}\E|\Qactions[0].action\E/,
            'says where';
    }
}

$web->refused('U0435', $db->as($ann), $json->encode({}) && 'select * from'
    . ' api.task_submit(?, ?, ?, ?, ?, null, null, ?, ?)',
    $db->uuid, [ map { $db->uuid } 1 .. 2 ], $json->encode($order{list}),
    'partner', '0' x 32, 'gold', '{image.thumbnail}', 'and a submit the same');
is $db->super->value(undef, 'select count(*) from podi.task_header'), 0,
   'nothing was made';

my $said = $json->decode($web->one($db->as($ann), 'select * from'
    . ' api.task_submit_batch(?, ?, ?, null, null, ?, ?)',
    $json->encode([ map { { task_id => $db->uuid, job_ids => [ map { $db->uuid }
                                                               1 .. 2 ],
                            order => $order{$_} } } qw( list graph ) ]),
    'partner', '0' x 32, 'gold', '{image.resize}')->{results});
is $said->[0]{sqlstate}, 'U0435', 'of a batch one order is refused';
is $said->[1]{channel}, 'partner', 'and another one taken, by its channel';

is_deeply [ map { $_->{action} } @{ $web->all($db->anon($ann->{tenant}),
            'select action from api.action_list(?)', '{image.thumbnail}') } ],
   [ 'image.thumbnail' ], 'a form shows what the channel has';

done_testing;
