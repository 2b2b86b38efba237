. "$(dirname -- "$0")/lib.sh"
one() {
        sandbox_start --devices 400 --latency 20ms
        world before
        begin ttnv2 application --timeout 500ms
        until_true 10 eval 'test "$(wc -l <out)" -gt 150' || fail "no device came out"
        faults "*:$1"
        end_within 400000
        echo $1 $elapsed $status; tail -n 5 err
        wc -l out
}
run_case "" one unavailable
run_case "" one reset-before
