# SPDX-License-Identifier: Apache-2.0
# Makes the tables of tts_schema.h: awk -f tts_tables.awk tts.messages tts.masks

BEGIN {
    split("bool int32 uint32 int64 uint64 float double string bytes", scalar, " ")
    for (i in scalar) type_name[scalar[i]] = "TTS_" toupper(scalar[i])
    split("required known or-empty", word, " ")
    for (i in word) flag[word[i]] = "TTS_" toupper(word[i])
    flag["or-empty"] = "TTS_OR_EMPTY"
}

/^#/ || /^$/ { next }

$1 == "enum" { known[$2] = $3; next }

$1 == "message" {
    messages++
    message[messages] = $2
    message_number[$2] = messages - 1
    first[messages] = fields + 1
    next
}

FILENAME ~ /masks$/ {
    calls = ""
    for (i = 2; i <= NF; i++) {
        call = toupper($i)
        gsub("-", "_", call)
        calls = calls (calls == "" ? "" : " | ") "TTS_MASK_" call
    }
    mask[++mask_count] = "    {\"" $1 "\", " calls "},"
    next
}

{
    field[++fields] = $0
    last[messages] = fields
}

function type_of(name) {
    if (name in type_name) return ".type = " type_name[name]
    if (name in known) return ".type = TTS_ENUM, .known = " known[name] "U"
    if (!(name in message_number)) {
        print "no type " name > "/dev/stderr"
        exit 1
    }
    return ".type = TTS_MESSAGE, .message = &tts_messages[" message_number[name] "]"
}

function rule(word, part) {
    split(word, part, "=")
    if (word in flag) flags = flags " | " flag[word]
    else if (part[1] == "oneof") extra = extra ", .oneof = \"" part[2] "\""
    else if (part[1] == "pattern") {
        gsub("-", "_", part[2])
        extra = extra ", .pattern = TTS_PATTERN_" toupper(part[2])
    } else if (part[1] == "gte" || part[1] == "lte" || part[1] == "gt") {
        flags = flags " | TTS_" toupper(part[1])
        extra = extra ", ." (part[1] == "gt" ? "gte" : part[1]) " = " part[2]
    } else if (part[1] ~ /^(len|min-len|max-len|min-items|max-items)$/) {
        gsub("-", "_", part[1])
        extra = extra ", ." part[1] " = " part[2]
    }
}

function print_field(line, part, count, i, at) {
    count = split(line, part, " ")
    at = 3
    extra = ""
    flags = "0"
    if (part[3] == "list" || part[3] == "map") {
        extra = ", .list = true" (part[3] == "map" ? ", .map = true" : "")
        at = 4
    }
    for (i = at + 1; i <= count; i++) rule(part[i])
    printf "    {.name = \"%s\", .number = %d, %s, .rules = %s%s},\n", part[2], part[1], type_of(part[at]), flags, extra
}

END {
    print "// Made from sandbox/world/tts.messages and tts.masks."
    print "#include \"world/tts_schema.h\"\n"
    print "static const struct tts_field fields[] = {"
    for (i = 1; i <= fields; i++) print_field(field[i])
    print "};\n\nconst struct tts_message tts_messages[] = {"
    for (i = 1; i <= messages; i++) {
        count = last[i] > 0 ? last[i] - first[i] + 1 : 0
        start = (count > 0) ? "fields + " (first[i] - 1) : "NULL"
        printf "    {\"%s\", %s, %d},\n", message[i], start, count
    }
    print "};\n\nconst size_t tts_message_count = " messages ";\n\nconst struct tts_mask_path tts_mask_paths[] = {"
    for (i = 1; i <= mask_count; i++) print mask[i]
    print "};\n\nconst size_t tts_mask_path_count = " mask_count ";"
}
