# POST /v1/tasks and /v1/tasks/quote: every order that is refused, with the
# field's name.  Both judge alike, so each block asks both; nothing may have
# been written by any of them.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;
use Podi::Work;

our $Http = Podi::Suite::http();
our $Config = <<'CONF';
    podi_tenant demo;
    podi_trace on;
    location /v1/tasks { podi_auth on; podi_task; }
CONF

my $s = Podi::Suite::stack();
my $w = Podi::Work->new($s->db);
my $ann = Podi::Suite::member('annie', points => 5);
my $bob = Podi::Suite::member('bobby');
my $eve = $w->person('eve.acme', 5);

our $Ann = $ann->{token};
our %M = (
    pic => $w->media($ann), other => $w->media($ann),
    gif => $w->media($ann, type => 'image/tiff'),
    bobs => $w->media($bob), foreign => $w->media($eve),
    none => $s->db->uuid,
    map { $_ => $w->media($ann, state => $_) }
        qw( pending checking rejected expired ),
);

# what a block asks: {name} stands for the id of a medium, [tail] for the rest
add_block_preprocessor(sub {
    my ($block) = @_;
    my $body = $block->order;
    my $path = $block->name =~ /\(submit only\)/ ? [''] : [ '', '/quote' ];

    $body =~ s/<(\w+)>/$::M{$1}/g;
    $block->set_value(http_config => $::Http);
    $block->set_value(config => $::Config);
    $block->set_value(request => [ map { "POST /v1/tasks$_\n$body" } @$path ]);
    $block->set_value(more_headers => "Authorization: Bearer $::Ann\n"
                      . "Content-Type: application/json\n");

    for my $check (qw( error_code response_body_like )) {
        my $value = $block->$check // 422;
        chomp $value;
        $block->set_value($check => [ ($value) x @$path ]);
    }
});

run_tests();

is $s->sql('select count(*) from podi.task_header where user_id = ?',
           $ann->{user}), 0, 'no task was made';
is $s->sql('select count(*) from podi.hold'), 0, 'nothing was frozen';
is $s->sql('select count(*) from podi.idempotency'), 0, 'no key was taken';

__DATA__

=== TEST 1: no inputs
--- order: {"inputs":[],"actions":[{"action":"image.thumbnail"}]}
--- response_body_like: "code":"bad_field".*"field":"inputs"


=== TEST 2: inputs are missing
--- order: {"actions":[{"action":"image.thumbnail"}]}
--- response_body_like: "detail":"the field is required","field":"inputs"


=== TEST 3: an input that is no id
--- order: {"inputs":["<pic>","cat.jpg"],"actions":[{"action":"image.thumbnail"}]}
--- response_body_like: "detail":"not a UUID","field":"inputs\[1\]"


=== TEST 4: an input that is a number
--- order: {"inputs":[7],"actions":[{"action":"image.thumbnail"}]}
--- response_body_like: "field":"inputs\[0\]"


=== TEST 5: a medium that does not exist
--- order: {"inputs":["<pic>","<none>"],"actions":[{"action":"image.thumbnail"}]}
--- response_body_like: "code":"bad_field","detail":"no such media","field":"inputs\[1\]"


=== TEST 6: somebody else's is the same
--- order: {"inputs":["<pic>","<bobs>"],"actions":[{"action":"image.thumbnail"}]}
--- response_body_like: "code":"bad_field","detail":"no such media","field":"inputs\[1\]"


=== TEST 7: another tenant's is the same
--- order: {"inputs":["<pic>","<foreign>"],"actions":[{"action":"image.thumbnail"}]}
--- response_body_like: "code":"bad_field","detail":"no such media","field":"inputs\[1\]"


=== TEST 8: a medium that is not uploaded yet
--- order: {"inputs":["<pending>"],"actions":[{"action":"image.thumbnail"}]}
--- error_code: 409
--- response_body_like: "code":"media_not_ready".*"field":"inputs\[0\]"


=== TEST 9: a medium that is being checked
--- order: {"inputs":["<pic>","<checking>"],"actions":[{"action":"image.thumbnail"}]}
--- error_code: 409
--- response_body_like: "code":"media_not_ready".*"field":"inputs\[1\]"


=== TEST 10: a medium that was rejected will never be ready
--- order: {"inputs":["<rejected>"],"actions":[{"action":"image.thumbnail"}]}
--- response_body_like: "code":"bad_field".*"field":"inputs\[0\]"


=== TEST 11: a medium that has expired
--- order: {"inputs":["<expired>"],"actions":[{"action":"image.thumbnail"}]}
--- response_body_like: "code":"bad_field".*"field":"inputs\[0\]"


=== TEST 12: a type that the action does not take
--- order: {"inputs":["<pic>","<gif>"],"actions":[{"action":"image.thumbnail"}]}
--- response_body_like: "code":"media_type".*"field":"inputs\[1\]"


=== TEST 13: no actions
--- order: {"inputs":["<pic>"],"actions":[]}
--- response_body_like: "field":"actions"


=== TEST 14: an action that is not known
--- order: {"inputs":["<pic>"],"actions":[{"action":"image.thumbnail"},{"action":"image.paint"}]}
--- response_body_like: "code":"unknown_action".*"field":"actions\[1\]\.action"


=== TEST 15: an action that is not for people
--- order: {"inputs":["<pic>"],"actions":[{"action":"media.check"}]}
--- response_body_like: "code":"unknown_action".*"field":"actions\[0\]\.action"


=== TEST 16: an action without a name
--- order: {"inputs":["<pic>"],"actions":[{"params":{}}]}
--- response_body_like: "field":"actions\[0\]\.action"


=== TEST 17: an action that is text
--- order: {"inputs":["<pic>"],"actions":["image.thumbnail"]}
--- response_body_like: "detail":"not an object","field":"actions\[0\]"


=== TEST 18: a member that actions do not have
--- order: {"inputs":["<pic>"],"actions":[{"action":"image.thumbnail","price":0}]}
--- response_body_like: "field":"actions\[0\]\.price"


=== TEST 19: parameters that are a list
--- order: {"inputs":["<pic>"],"actions":[{"action":"image.thumbnail","params":[1]}]}
--- response_body_like: "field":"actions\[0\]\.params"


=== TEST 20: a parameter that is not known
--- order: {"inputs":["<pic>"],"actions":[{"action":"image.resize","params":{"width":10,"depth":3}}]}
--- response_body_like: "field":"actions\[0\]\.params\.depth"


=== TEST 21: a parameter of another type
--- order: {"inputs":["<pic>"],"actions":[{"action":"image.resize","params":{"width":"10"}}]}
--- response_body_like: "field":"actions\[0\]\.params\.width"


=== TEST 22: a null is no number
--- order: {"inputs":["<pic>"],"actions":[{"action":"image.resize","params":{"width":null}}]}
--- response_body_like: "field":"actions\[0\]\.params\.width"


=== TEST 23: half a pixel
--- order: {"inputs":["<pic>"],"actions":[{"action":"image.resize","params":{"width":10.5}}]}
--- response_body_like: "field":"actions\[0\]\.params\.width"


=== TEST 24: below the range
--- order: {"inputs":["<pic>"],"actions":[{"action":"image.resize","params":{"width":0}}]}
--- response_body_like: "field":"actions\[0\]\.params\.width"


=== TEST 25: beyond the range, of the second action
--- order: {"inputs":["<pic>"],"actions":[{"action":"image.thumbnail"},{"action":"image.resize","params":{"width":8193}}]}
--- response_body_like: "field":"actions\[1\]\.params\.width"


=== TEST 26: beyond any range
--- order: {"inputs":["<pic>"],"actions":[{"action":"image.resize","params":{"width":1e300}}]}
--- response_body_like: "field":"actions\[0\]\.params\.width"


=== TEST 27: beyond what a number can be
--- order: {"inputs":["<pic>"],"actions":[{"action":"image.resize","params":{"width":1e999}}]}
--- error_code: 400
--- response_body_like: "code":"bad_json"


=== TEST 28: not one of the words
--- order: {"inputs":["<pic>"],"actions":[{"action":"image.resize","params":{"width":10,"fit":"stretch"}}]}
--- response_body_like: "field":"actions\[0\]\.params\.fit"


=== TEST 29: a required parameter is missing
--- order: {"inputs":["<pic>"],"actions":[{"action":"image.convert","params":{"quality":80}}]}
--- response_body_like: "field":"actions\[0\]\.params\.format"


=== TEST 30: neither of two of which one is needed
--- order: {"inputs":["<pic>"],"actions":[{"action":"image.resize","params":{"fit":"cover"}}]}
--- response_body_like: "field":"actions\[0\]\.params\.\w+"


=== TEST 31: a parameter twice
--- order: {"inputs":["<pic>"],"actions":[{"action":"image.resize","params":{"width":10,"width":20}}]}
--- error_code: 400
--- response_body_like: "code":"bad_json"


=== TEST 32: 65 inputs
--- order eval: '{"inputs":[' . '"<pic>",' x 64 . '"<pic>"],"actions":[{"action":"image.thumbnail"}]}'
--- response_body_like: "field":"inputs"


=== TEST 33: 17 actions
--- order eval: '{"inputs":["<pic>"],"actions":[' . '{"action":"image.thumbnail"},' x 16 . '{"action":"image.thumbnail"}]}'
--- response_body_like: "field":"actions"


=== TEST 34: 66 jobs
--- order eval: '{"inputs":[' . '"<pic>",' x 5 . '"<pic>"],"actions":[' . '{"action":"image.thumbnail"},' x 10 . '{"action":"image.thumbnail"}]}'
--- response_body_like: "field":"inputs"


=== TEST 35: a price below nothing
--- order: {"inputs":["<pic>"],"actions":[{"action":"image.thumbnail"}],"expected_price":-1}
--- response_body_like: "field":"expected_price"


=== TEST 36: a price in text
--- order: {"inputs":["<pic>"],"actions":[{"action":"image.thumbnail"}],"expected_price":"1"}
--- response_body_like: "field":"expected_price"


=== TEST 37: a price that is half a point
--- order: {"inputs":["<pic>"],"actions":[{"action":"image.thumbnail"}],"expected_price":0.5}
--- response_body_like: "field":"expected_price"


=== TEST 38: another price than the one that was quoted (submit only)
--- order: {"inputs":["<pic>"],"actions":[{"action":"image.resize","params":{"width":10}}],"expected_price":1}
--- error_code: 409
--- response_body_like: "code":"quote_changed".*"expected":1,"price":2


=== TEST 39: not enough points (submit only)
--- order: {"inputs":["<pic>","<other>"],"actions":[{"action":"image.resize","params":{"width":10}},{"action":"image.thumbnail"}]}
--- error_code: 402
--- response_body_like: "code":"insufficient_points".*(?=.*"required":6)(?=.*"available":5).*"missing":1


=== TEST 40: an unknown member
--- order: {"inputs":["<pic>"],"actions":[{"action":"image.thumbnail"}],"user":"x"}
--- response_body_like: "field":"user"


=== TEST 41: no JSON
--- order: inputs=1
--- error_code: 400
--- response_body_like: "code":"bad_json"


=== TEST 42: a body beyond 64 KiB
--- order eval: '{"inputs":["' . 'x' x 70000 . '"]}'
--- error_code: 413
--- response_body_like: "code":"body_too_large"
