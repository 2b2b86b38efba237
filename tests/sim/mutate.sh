#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints a source file with a mistake in it, which a test has to find: mutate.sh MUTATION FILE. Fails if the
# place for it is not there as expected: then the mutation has to follow the code.
set -eu

mutation=$1
file=$2

# change COUNT TEXT BY: replaces TEXT, COUNT times in the whole file.
change() {
    TEXT=$2 BY=$3 awk -v count="$1" '
        {
            while ((at = index($0, ENVIRON["TEXT"])) > 0) {
                printf "%s%s", substr($0, 1, at - 1), ENVIRON["BY"]
                $0 = substr($0, at + length(ENVIRON["TEXT"]))
                found++
            }
            print
        }
        END {
            if (found == count) exit 0
            printf "mutate.sh: found %d times instead of %d: %s\n", found, count, ENVIRON["TEXT"] | "cat >&2"
            exit 1
        }
    ' "$file"
}

case $mutation:${file##*/} in
clear_before_commit:*)
    # The source is changed although neither the record nor the intent is committed.
    change 2 'return result != 0 ? result : run_commit(run, error);' 'return result;'
    ;;
commit_without_sync:*)
    change 1 'PRAGMA synchronous = FULL' 'PRAGMA synchronous = OFF'
    ;;
forget_intent:*)
    # Nothing says that a device may have been changed.
    change 1 'result = journal_set_state(run->journal, flight->sequence, DEVICE_RELEASING, error);' 'result = 0;'
    ;;
lost_is_success:*)
    change 1 'if (reply_ok(reply, CALL_GRPC)) return release_cleared(' \
        'if (reply_ok(reply, CALL_GRPC) || reply->outcome == REPLY_LOST) return release_cleared('
    ;;
lost_is_failure:*)
    change 1 'if (reply_ok(reply, CALL_GRPC)) return release_cleared(' \
        'if (reply_ok(reply, CALL_GRPC) || reply->outcome == REPLY_LOST) return reply->outcome == REPLY_LOST ? (reply_error(reply, &job->calls[0], error) == 0 ? JOB_DONE : JOB_FAILED) : release_cleared('
    ;;
believe_handler:*)
    # Keys that the Handler has say nothing about the Network Server.
    change 1 'return state->untouched || (' 'return state->kept || ('
    ;;
skip_lock:*)
    change 1 'if (flock(descriptor, LOCK_EX | LOCK_NB) != 0)' 'if (descriptor < 0)'
    ;;
line_before_validation:flight.c)
    # The line is on its way out before it is known that the device can be migrated.
    change 1 'if (result == 0) result = device_validate(' \
        'if (result == 0) { result = output_add(&flight->flights->run->output, &flight->device, error); } if (result == 0) result = device_validate('
    ;;
line_before_validation:flight_write.c)
    change 1 'result = output_add(&run->output, &flight->device, error);' 'result = 0;'
    ;;
read_before_kill:*)
    # What a killed run had read of a device that it did not clear counts on.
    change 1 '" complete = 0 WHERE state = 3 OR' '" complete = complete WHERE state = 3 OR'
    ;;
import_before_commit:*)
    # The target and the source are changed although neither the claim nor the intent is committed.
    change 1 'waits ? run_commit(flights->run, error) : run_commit_at_times(flights->run, error);' '0;'
    ;;
wait_is_commit:*)
    # What may wait for its commit goes on without it.
    change 1 'run_commit_may_wait(flights->run)) return 0;' 'run_commit_may_wait(flights->run)) waits = false;'
    ;;
forget_claim:*)
    # Nothing says what was made at the target.
    change 1 'return journal_set_claim(run->journal, flight->sequence, flight->record.id, flight->claim, flight->before,' \
        'return 0; return journal_set_claim(run->journal, flight->sequence, flight->record.id, flight->claim, flight->before,'
    ;;
joined_before_commit:*)
    # A session that the device joined to get is cleared before the journal has it.
    change 1 'if (result == 0) result = run_commit(run, &error);' ';'
    ;;
joined_is_left:*)
    # It stays at the source, beside the new entry.
    change 1 'device->session == NULL && device->supports_join && setup->source->joins' 'false'
    ;;
update_forgets_before:*)
    # What an interrupted update has left counts as what was there before it.
    change 1 'if (flight->claim != CLAIM_UPDATED) {' 'if (flight->claim != CLAIM_NONE) {'
    ;;
undo_leaves_source:*)
    # A release that failed counts as one that changed nothing.
    change 1 '.source = (flight->touched || flight->released) && run_can_restore(run),' \
        '.source = flight->released && run_can_restore(run),'
    ;;
undo_removes_found:*)
    change 1 'return is_at_target(undo) && undo->claim != CLAIM_FOUND;' 'return is_at_target(undo);'
    ;;
progress_not_used:*)
    change 1 '.progress = undo->progress' '.progress = {.known = false}'
    ;;
counter_not_skipped:*)
    # What the target answers between the last look and the removal is answered with the same counter again.
    change 1 'undo->restoration.progress.last_n_f_cnt_down++;' 'undo->remark = NULL;'
    ;;
heard_not_counted:*)
    # What the source answered between reading and releasing is answered with the same counter again.
    change 1 'set_counter(flight, heard->last_n_f_cnt_down);' ';'
    ;;
target_lost_is_success:*)
    change 1 'bool gone = is_dry(job) ||' 'bool gone = is_dry(job) || job->replies[i].outcome == REPLY_LOST ||'
    ;;
keys_before_session:*)
    # A join that the target accepts is overwritten with the older session.
    change 1 'set_part(self, job, TTS_NETWORK);' 'set_part(self, job, TTS_JOIN), set_part(self, job, TTS_NETWORK);'
    ;;
lost_delete_is_failure:*)
    # A device whose deletion was not answered is left to people.
    change 1 '    return look(self, job, RELEASE_LOOKED);' '    return tell_answer(job->state, error);'
    ;;
forgets_to_create:*)
    # A device that is gone counts as one that is back.
    change 1 'if (change->tries == 0 || may_try_again(change))' 'if (change->tries > 0 && may_try_again(change)) return JOB_DONE; else if (change->tries == 0)'
    ;;
profile_without_look:*)
    # What devices came to wait for meanwhile is made without a look at what is there.
    change 1 'if (!lost) return ask_details(self, job);' 'if (!lost) return create(self, job);'
    ;;
torn_line_stays:*)
    change 1 'if (result == 0 && continued) result = file->operations->truncate(' 'if (result > 0 && continued) result = file->operations->truncate('
    ;;
again_is_fresh:*)
    # What an earlier process may have given the target counts as not given.
    change 1 'bool fresh = !job->again && cst_reserved_has(self, dev_eui);' 'bool fresh = true;'
    ;;
believe_target:*)
    # What is read back counts as what was imported.
    change 1 'if (done && flight->verdict.equal) {' 'if (done) {'
    ;;
rollback_of_all:*)
    # A rollback of some devices puts back all.
    change 1 'int result = feed == NULL ? journal_restore_all' 'int result = true ? journal_restore_all'
    ;;
some_are_untouched:*)
    # One that is put back by its ID counts as one whose release was never begun.
    change 1 'SET complete = complete | 2 WHERE sequence = ?1 AND (state <= 4 OR state IN (20, 22))"' \
        'SET complete = complete | 2 WHERE sequence = ?1"'
    ;;
failed_takes_all:*)
    # Whoever tries those again that failed begins others anew, too.
    change 1 'SET state = ?2, changed = ?3 WHERE state = ?1"' 'SET state = ?2, changed = ?3 WHERE state >= ?1"'
    ;;
held_is_confirmed:*)
    # What the source handles again counts as given up.
    change 1 'bool held = joined || confirmation->proof == SOURCE_HELD;' 'bool held = joined;'
    ;;
take_other_keys:ttnv2_change.c)
    # Keys that somebody else has entered are cleared like those that were read.
    change 1 'if (!ours && (job->again || !anew)) {' 'if (!ours && job->again) {'
    ;;
take_other_keys:tts_release.c)
    change 1 'if (what == NULL) continue;' 'if (what == NULL || server == STACK_JOIN) continue;'
    ;;
*)
    echo "mutate.sh: no mutation $mutation" >&2
    exit 1
    ;;
esac
