# SPDX-License-Identifier: Apache-2.0
# What the tests ask of the sandbox's GET /state and of the program's lines. Members of a device of the state
# are lower-case hex; all zeros = cleared. Nothing here prints a key: results are IDs, counts and booleans.

def zero: test("^0*$");

# ---- protobuf, as far as handler.Device needs it

def bytes:
  [explode[] | if . > 96 then . - 87 else . - 48 end] as $digits
  | [range(0; $digits | length; 2) | $digits[.] * 16 + $digits[. + 1]];

# [value, index behind it]
def varint($b; $i; $shift):
  if $b[$i] >= 128 then varint($b; $i + 1; $shift * 128) as [$rest, $next] | [($b[$i] - 128) * $shift + $rest, $next]
  else [$b[$i] * $shift, $i + 1] end;

# [{field, value}], value a number or an array of bytes
def fields:
  . as $b
  | def from($i):
      if $i >= ($b | length) then empty
      else
        varint($b; $i; 1) as [$key, $j]
        | ($key % 8) as $type
        | (($key - $type) / 8) as $field
        | if $type == 0 then varint($b; $j; 1) as [$value, $k] | {$field, $value}, from($k)
          elif $type == 2 then varint($b; $j; 1) as [$size, $k]
            | {$field, value: $b[$k:$k + $size]}, from($k + $size)
          elif $type == 5 then {$field, value: $b[$j:$j + 4]}, from($j + 4)
          else error("unexpected wire type \($type)") end
      end;
  [from(0)];

# The whole of what GetDevice gives, apart from the order of attributes and members.
def content:
  .get_device_hex | bytes | fields
  | map(if .field == 3 then .value |= (fields | sort_by(.field)) else . end)
  | sort;

# ---- devices

def main($app): map(select(.app_id == $app));

def has_join: .app_key | zero | not;
def has_session: [.dev_addr, .nwk_s_key, .app_s_key] | all(zero | not);

# What goes with a device: {join, session}.
def parts($with_session):
  {join: has_join, session: (has_session and ($with_session or (has_join | not)))};

# The content after exactly that was cleared.
def content_cleared($parts):
  content
  | map(if .field == 3 then
      .value |= map(
        if (.field == 8 and $parts.join) or (.field >= 5 and .field <= 7 and $parts.session)
        then .value |= map(0) else . end)
    else . end)
  | sort;

def network_cleared($parts):
  .network_server
  | if $parts.session then .dev_addr |= gsub("."; "0") | .nwk_s_key |= gsub("."; "0") else . end
  | {dev_id, dev_addr, nwk_s_key, f_cnt_up, f_cnt_down, last_seen};

# How a device's state `.` differs from what it has to be after a release of the device $before; one text each.
def release_faults($before; $with_session):
  ($before | parts($with_session)) as $parts
  | (if content != ($before | content_cleared($parts)) then "not exactly what was carried over is cleared" else empty end),
    (if (.network_server | {dev_id, dev_addr, nwk_s_key, f_cnt_up, f_cnt_down, last_seen})
        != ($before | network_cleared($parts)) then "the Network Server's part is not as it should be" else empty end),
    (if .writes != $before.writes + 1 then "written \(.writes - $before.writes) times" else empty end);

# ---- lines

def line_key($app; $id): "\($app)/\($id)";

# {"app/id": [line...]}, for lines as objects. What V2 calls a device is its name, or where that had to be cut or
# the ID changed, the attribute "old-id".
def by_device: map({app: .ids.application_ids.application_id, id: (.attributes["old-id"] // .name), line: .})
  | group_by([.app, .id])
  | map({key: line_key(.[0].app; .[0].id), value: map(.line)}) | from_entries;

def lower: if . == null then "" else ascii_downcase end;

# Which of a device's keys are gone in V2, although no line has them: the name of each.
def lost_keys($before; $lines):
  . as $after
  | def gone($name): ($before[$name] | zero | not) and $after[$name] != $before[$name];
    def kept($name; f): any($lines[]; (f | lower) == $before[$name]);
  (if gone("app_key") and (kept("app_key"; .root_keys.app_key.key) | not) then "AppKey" else empty end),
  (if gone("dev_addr") and (kept("dev_addr"; .session.dev_addr) | not) then "DevAddr" else empty end),
  (if gone("nwk_s_key") and (kept("nwk_s_key"; .session.keys.f_nwk_s_int_key.key) | not) then "NwkSKey" else empty end),
  (if gone("app_s_key") and (kept("app_s_key"; .session.keys.app_s_key.key) | not) then "AppSKey" else empty end);
