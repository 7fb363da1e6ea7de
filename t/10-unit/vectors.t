# The published test vectors, through `./build.sh vectors`.

use strict;
use warnings;
use Test::More;
use Podi::Repo qw( root );

my $dir = root() . '/../shared/vectors';
my $program = ($ENV{PODI_BUILD} // root() . '/var/build') . '/vectors';

# a file, how many of its cases are tried at least, and skipped at most
my @files = (
    [ 'signature-vectors.json', 58, 1000 ],
    [ 'wycheproof/json_web_signature_test.json', 395, 6 ],
    [ 'wycheproof/json_web_key_test.json', 26, 0 ],
);

for my $case (@files) {
    my ($name, $tried, $skipped) = @$case;

    SKIP: {
        skip "../shared/vectors/$name is not here", 1 if !-f "$dir/$name";

        my @lines = qx('$program' '$dir/$name');

        is $?, 0, "$name: the runner ends well";
        is scalar(grep { /^not ok/ } @lines), 0, 'no vector is missed'
            or diag grep { /^(?:not ok|#)/ } @lines;
        cmp_ok scalar(grep { /^ok/ && !/# skip/i } @lines), '>=', $tried,
            "$tried are tried";
        cmp_ok scalar(grep { /^ok.*# skip/i } @lines), '<=', $skipped,
            "no more than $skipped are skipped";
    }
}

# the recorded conversations with ComfyUI: a file a scenario

SKIP: {
    my @talks = glob "$dir/comfyui/*.json";
    my @lines;

    skip '../shared/vectors/comfyui is not here', 3 if !@talks;

    for my $talk (@talks) {
        push @lines, qx('$program' '$talk');
        is $?, 0, $talk =~ s{.*/}{comfyui/}r . ' is read';
    }

    is scalar(grep { /^not ok/ } @lines), 0, 'each as what it is'
        or diag grep { /^(?:not ok|#)/ } @lines;
    cmp_ok scalar(grep { /^ok/ } @lines), '>=', 1200, 'all that was said';
}

done_testing;
