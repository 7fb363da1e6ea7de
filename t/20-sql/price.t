# What a job costs: rules by channel, plan and time, terms by what it takes; and
# quotes that hold.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Digest::SHA qw(hmac_sha256_hex);
use JSON::PP ();
use MIME::Base64 qw(decode_base64url encode_base64url);
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $w = Podi::Work->new($db);
my $ann = $w->person('ann', 100_000);
my $ben = $w->person('ben', 100);
my $ctl = $db->login('podi_ctl');
my $text = { zh => 'x', en => 'x' };
my $pic = sized(1000, 1500);

$ctl->all(undef, 'select * from sys.action_put(?)', Podi::Work::text({
    action => 'test.paint', queue => 'image', label => $text,
    description => $text, accepts => ['image/jpeg'], price => 10,
    inputs => { min => 0, max => 16 }, timeout_ms => 5000,
    max_wait_ms => 60_000, schema => { type => 'object', properties => {
        steps => { type => 'integer', default => 20 },
        text  => { type => 'string' },
        scale => { type => 'number' } } } }));


sub sized
{
    my ($width, $height, $who) = @_;
    my $id = $w->media($who // $ann);

    $db->super->all(undef, 'update podi.media set width = ?, height = ?'
                    . ' where media_id = ?', $width, $height, $id);
    return $id;
}


my $clock = 0;


# a rule; later ones are newer
sub rule
{
    my (%rule) = @_;

    return $ctl->value(undef, 'select rule_id from sys.price_put(?)',
        Podi::Work::text({ action => 'test.paint', reason => 'test',
            valid_from => sprintf('2026-01-01T00:00:%02dZ', $clock++), %rule }));
}


sub quote
{
    my (%o) = @_;

    return Podi::Work::decode($w->{web}->one($db->as($o{who} // $ann),
        'select * from api.task_quote(?, ?)', Podi::Work::text($w->order(%o)),
        $o{channel} // 'default'))->[0];
}


sub paint
{
    my ($params, @media) = @_;

    return (graph => [{ key => 'a', action => 'test.paint', params => $params,
                        inputs => [map { { media => $_ } } @media] }]);
}


subtest 'the rule that says most goes first' => sub {
    my %price = (default => sub { quote(paint({}), channel => 'default')->{price} },
                 shop    => sub { quote(paint({}), channel => 'shop')->{price} });

    is $price{default}->(), 10, 'without a rule the price of the action';
    rule(base => 11);
    is $price{default}->(), 11, 'a rule for all';
    rule(base => 12);
    is $price{default}->(), 12, 'the newest';
    rule(base => 13, valid_from => '2099-01-01T00:00:00Z');
    is $price{default}->(), 12, 'that has begun';
    $ctl->all(undef, 'select * from sys.plan_put(?)', '{"plan": "gold"}');
    rule(base => 14, plan => 'gold');
    is $price{default}->(), 12, 'not one of another plan';
    $ctl->all(undef, "select * from sys.tenant_plan('acme', 'gold')");
    is $price{default}->(), 14, 'but that of its own';
    rule(base => 15, channel => 'shop');
    is $price{default}->(), 14, 'not one of another channel';
    is $price{shop}->(), 15, 'the channel goes before the plan';
    rule(base => 16, channel => 'shop', plan => 'gold');
    is $price{shop}->(), 16, 'and both before one';
    my $list = Podi::Work::decode(@{ $ctl->all(undef,
        "select * from sys.price_list('test.paint')") });
    is scalar(grep { $_->{in_force} } @$list), 4, 'the list tells what is in force';
    $ctl->all(undef, "select * from sys.tenant_plan('acme', 'standard')");
};

subtest 'terms' => sub {
    my $big = sized(4000, 1000);
    my $none = $w->media($ann);
    my @case = (
        [[{ unit => 'picture', points => 3, per => 1 }], {}, [$pic, $big], 7],
        [[{ unit => 'picture', points => 3, per => 2 }], {}, [$pic], 4],
        [[{ unit => 'picture', points => 3, per => 2 }], {}, [], 1],
        [[{ unit => 'megapixel', points => 2, per => 1 }], {}, [$pic], 5],
        [[{ unit => 'megapixel', points => 2, per => 1 }], {}, [$pic, $big], 13],
        [[{ unit => 'megapixel', points => 2, per => 0.5 }], {}, [$pic], 7],
        [[{ unit => 'megapixel', points => 2, per => 1 }], {}, [$none], 1],
        [[{ unit => 'step', param => 'steps', points => 1, per => 8 }],
            {}, [], 4],
        [[{ unit => 'step', param => 'steps', points => 1, per => 8 }],
            { steps => 24 }, [], 4],
        [[{ unit => 'step', param => 'steps', points => 1, per => 8 }],
            { steps => 25 }, [], 5],
        [[{ unit => 'param', param => 'scale', points => 5, per => 0.1 }],
            { scale => 0.3 }, [], 16],
        [[{ unit => 'param', param => 'scale', points => 5, per => 0.1 }],
            { scale => -3 }, [], 1],
        [[{ unit => 'token', param => 'text', points => 5, per => 1 }],
            { text => 'a' }, [], 1],
        [[{ unit => 'picture', points => 3, per => 1 },
          { unit => 'step', param => 'steps', points => 1, per => 10 }],
            {}, [$pic], 6],
    );
    for my $case (@case) {
        my ($terms, $params, $media, $price) = @$case;
        rule(base => 1, terms => $terms);
        is quote(paint($params, @$media))->{price}, $price,
           Podi::Work::text($terms) . ' ' . Podi::Work::text($params)
           . ' ' . @$media;
    }
    rule(base => 0, least => 7, most => 20,
         terms => [{ unit => 'picture', points => 6, per => 1 }]);
    is_deeply [map { quote(paint({}, ($pic) x $_))->{price} } 1, 2, 3, 4],
              [7, 12, 18, 20], 'least and most';

    my $e = $w->{web}->refused('U0422', $db->as($ann),
        'select * from api.task_quote(?, ?)', Podi::Work::text($w->order(
            paint({ scale => 1e12 }))), 'default', 'a price beyond all bounds')
        if rule(base => 0, terms => [{ unit => 'param', param => 'scale',
                                       points => 1e12, per => 1 }]);
};

subtest 'what another job makes counts as what it is given' => sub {
    rule(base => 0, terms => [{ unit => 'megapixel', points => 1, per => 1 }]);
    my $q = quote(graph => [
        { key => 'b', action => 'test.paint', inputs => [{ job => 'a' },
                                                         { media => $pic }] },
        { key => 'a', action => 'test.paint',
          inputs => [{ media => $pic }, { media => sized(3000, 1000) }] },
    ]);
    is_deeply [map { $_->{price} } @{ $q->{jobs} }], [5, 5],
              '3 of the largest and 1.5; 1.5 and 3';
};

subtest 'a rule that makes no sense is refused' => sub {
    my %term = (unit => 'picture', points => 1, per => 1);
    my %bad = (
        'terms'           => { terms => {} },
        'terms[0].unit'   => { terms => [{ %term, unit => 'hour' }] },
        'terms[0].points' => { terms => [{ %term, points => -1 }] },
        'terms[1].points' => { terms => [\%term, { %term, points => 0.5 }] },
        'terms[0].per'    => { terms => [{ %term, per => 0 }] },
        'terms[0].param'  => { terms => [{ %term, unit => 'step',
                                           param => 'stepz' }] },
        'terms[1].param'  => { terms => [\%term, { %term, param => 'steps' }] },
        'colour'          => { colour => 1 },
    );
    for my $field (sort keys %bad) {
        my $e = $ctl->refused('U0422', undef, 'select * from sys.price_put(?)',
            Podi::Work::text({ action => 'test.paint', base => 1,
                reason => 'x', %{ $bad{$field} } }), "refused at $field");
        is JSON::PP::decode_json($e->{detail})->{field}, $field, '... named';
    }
    $ctl->refused('23503', undef, 'select * from sys.price_put(?)',
        '{"action": "test.fly", "base": 1, "reason": "x"}', 'no such action');
    $ctl->refused('23514', undef, 'select * from sys.price_put(?)',
        '{"action": "test.paint", "base": -1, "reason": "x"}', 'below nothing');
    $ctl->refused('23502', undef, 'select * from sys.price_put(?)',
        '{"action": "test.paint", "base": 1}', 'without a reason');
    $ctl->refused('U0422', undef, 'select * from sys.plan_put(?)',
                  '{"plan": "gold", "colour": 1}', 'a plan of no colour');
    $ctl->refused('23514', undef, 'select * from sys.plan_put(?)',
                  '{"plan": "gold", "weight": 0}', 'nor without turns');
    $ctl->refused('U0404', undef, "select * from sys.tenant_plan('x', 'gold')",
                  'no such tenant');
};

subtest 'what is given all of an order costs for all of it' => sub {
    $ctl->all(undef, 'select * from sys.action_put(?)', Podi::Work::text({
        action => 'test.sheet', queue => 'image', label => $text,
        description => $text, accepts => ['image/jpeg'], price => 10,
        inputs => { min => 2, max => 16 }, timeout_ms => 5000,
        max_wait_ms => 60_000 }));
    my @media = ($pic, sized(3000, 1000), sized(500, 500), $pic);
    my %matrix = (inputs => \@media, actions => [{ action => 'test.sheet' }]);
    my @graph = ([map { { media => $_ } } @media],
                 [(map { { media => $_ } } @media[0 .. 2]), { job => 'a' }]);
    my $sheet = sub { (graph => [
        { key => 'a', action => 'test.paint', inputs => [{ media => $pic }] },
        { key => 's', action => 'test.sheet', inputs => $_[0] }]) };

    rule(base => 0);
    for my $case (['picture', 3, 12], ['megapixel', 2, 14]) {
        my ($unit, $points, $price) = @$case;
        rule(action => 'test.sheet', base => 0,
             terms => [{ unit => $unit, points => $points, per => 1 }]);
        my $q = quote(%matrix);
        is_deeply [$q->{price}, $q->{jobs_total}], [$price, 1],
                  "one job, $points for each $unit of four pictures";
        is quote($sheet->($_))->{jobs}[1]{price}, $price,
           '... in a graph, with what another job makes'
            for @graph;
        my $t = $w->submit($ann, %matrix);
        is_deeply [$t->{price}, scalar @{ $t->{jobs}[0]{inputs} }], [$price, 4],
                  '... and so it is frozen';
    }
};

subtest 'what was quoted is the work with its defaults' => sub {
    my $default = sub { $ctl->all(undef, 'select * from sys.action_put(?)',
        Podi::Work::text({ action => 'test.paint', schema => {
            type => 'object', properties => {
                steps => { type => 'integer', default => $_[0] },
                text  => { type => 'string' },
                scale => { type => 'number' } } } })) };
    my %order = paint({}, $pic);
    my $cancel = sub { $ctl->all(undef, 'select * from sys.action_put(?)',
        qq({"action": "test.paint", "cancel": "$_[0]"})) };

    rule(base => 0, terms => [{ unit => 'step', param => 'steps', points => 1,
                                per => 1 }]);
    my %with = (%order, more => { quote => quote(%order)->{quote} });
    $default->(50);
    my $e = $w->{web}->refused('U0432', $db->as($ann), $w->submit_call(%with),
                               'other defaults are other work');
    is JSON::PP::decode_json($e->{detail})->{field}, 'quote', 'and so it says';
    $default->(20);
    $cancel->('full');
    $w->{web}->refused('U0432', $db->as($ann), $w->submit_call(%with),
                       'so are other terms');
    $cancel->('none');
    is_deeply [map { $w->submit($ann, %with)->{price} } 1, 2], [20, 20],
              'a quote is a price for as long as it holds, not a voucher';
};

subtest 'what was quoted is frozen' => sub {
    my $rule = rule(base => 30);
    my %order = paint({ steps => 3 }, $pic);
    my $q = quote(%order);
    my %with = (%order, more => { quote => $q->{quote} });

    is $q->{price}, 30, 'quoted';
    is $q->{jobs}[0]{rule_id}, $rule, 'by the rule';
    rule(base => 50);
    is quote(%order)->{price}, 50, 'then the price goes up';
    is quote(%with)->{price}, 50, 'and a new quote says so';
    my $t = $w->submit($ann, %with, expected => 30);
    is $t->{price}, 30, 'the old quote holds';
    is_deeply [@{ $t->{jobs}[0] }{qw(price rule_id)}], [30, $rule],
              'with its rule';
    is $w->submit($ann, %order)->{price}, 50, 'for who has one';
    $w->{web}->refused('U0432', $db->as($ann), $w->submit_call(%with,
                       expected => 50), 'both must be right');

    my ($say, $key, $mac) = split /\./, $q->{quote};
    my $signed = sub {
        my ($change) = @_;
        my $what = JSON::PP::decode_json(decode_base64url($say));
        $change->($what);
        my $b64 = encode_base64url(JSON::PP::encode_json($what));
        return "$b64.$key." . hmac_sha256_hex("quote1|$b64",
                                              pack 'H*', $Podi::Pg::KEY);
    };
    my %bad = (
        'another order' => [$ann, paint({ steps => 4 }, $pic)],
        'another user'  => [$ben, paint({ steps => 3 }, sized(1, 1, $ben))],
        'another channel' => [$ann, %order, channel => 'shop'],
        'more of it'    => [$ann, %order, priority => 'batch'],
        'no quote'      => [$ann, %order, quote => 'x'],
        'a number'      => [$ann, %order, quote => 5],
        'a lower price' => [$ann, %order, quote => join '.',
            encode_base64url(decode_base64url($say) =~ s/30/10/r), $key, $mac],
        'another key'   => [$ann, %order, quote => "$say.other.$mac"],
        'an old one'    => [$ann, %order, quote => $signed->(sub {
                                                     $_[0]{x} -= 700 })],
        'more lines than jobs' => [$ann, %order, quote => $signed->(sub {
                                        push @{ $_[0]{l} }, [1, undef] })],
    );
    for my $name (sort keys %bad) {
        my ($who, %o) = @{ $bad{$name} };
        my %more = (quote => $q->{quote},
                    map { exists $o{$_} ? ($_ => delete $o{$_}) : () }
                    qw(quote priority));
        $w->{web}->refused('U0432', $db->as($who),
                           $w->submit_call(%o, more => \%more), $name);
    }
    is $w->submit($ann, %order, more => { quote => $signed->(sub {}) })->{price},
       30, 'signed by us it holds';
    $db->super->all(undef, 'update podi.context_key set retired_at = now()');
    $db->super->all(undef, "insert into podi.context_key select 'k2', ipad,"
        . ' opad from podi.context_key');
    local $Podi::Pg::KEY_ID = 'k2';
    $w->{web}->refused('U0432', $db->as($ann), $w->submit_call(%with),
                       'not under a key that is retired');
    is quote(%order)->{quote} =~ /\.k2\./, 1, 'the new key signs';
};

subtest 'a price that changes meanwhile' => sub {
    local $Podi::Pg::KEY_ID = 'k2';
    my %order = paint({}, $pic);
    my $q = quote(%order);
    my $other = $db->login('podi_ctl');

    $other->dbh->begin_work;
    $other->run('select * from sys.price_put(?)', Podi::Work::text({
        action => 'test.paint', reason => 'more', base => 70,
        valid_from => '2026-01-02T00:00:00Z' }));
    is $w->submit($ann, %order)->{price}, $q->{price},
       'a submit does not wait for it, nor see it';
    $other->dbh->commit;
    is $w->submit($ann, %order)->{price}, 70, 'once it is there it does';
    $w->{web}->refused('U0432', $db->as($ann), $w->submit_call(%order,
                       expected => $q->{price}), 'unless another was expected');
    is $w->submit($ann, %order, more => { quote => $q->{quote} })->{price},
       $q->{price}, 'or quoted: that still holds';
};

$db->whole;
done_testing;
