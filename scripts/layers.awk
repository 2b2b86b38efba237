# SPDX-License-Identifier: Apache-2.0
# Checks that includes point downwards: cli > migrate > source, target, journal > stack > device, net,
# formatter > lorawan > base;
# that each outside library is used by its one module; that only cli/ writes to the terminal.

BEGIN {
    allowed["base"] = " base "
    allowed["lorawan"] = " lorawan base "
    allowed["net"] = " net lorawan base "
    allowed["device"] = " device lorawan base "
    allowed["formatter"] = " formatter base "
    allowed["journal"] = " journal device lorawan base "
    allowed["stack"] = " stack device net lorawan base "
    allowed["source"] = " source stack device net formatter lorawan base "
    allowed["target"] = " target stack device net formatter lorawan base "
    allowed["migrate"] = " migrate source target stack journal device net formatter lorawan base "
    allowed["cli"] = " cli migrate source target stack journal device net formatter lorawan base "
    # The sandbox plays the other side: sharing the client's protocol code would hide its errors.
    allowed["sandbox"] = " sandbox device lorawan base "

    generated = " device stack source target migrate sandbox "
    library["curl"] = " net "
    library["sqlite3.h"] = " journal migrate sandbox "
    library["jansson.h"] = " device source target migrate cli formatter sandbox "
    library["duktape.h"] = " formatter "
    library["yaml.h"] = " lorawan "
    library["csv.h"] = " base "
    library["grpc"] = " sandbox "
    library["microhttpd.h"] = " sandbox "
}

function has(list, word) {
    return index(list, " " word " ") > 0
}

function complain(text) {
    printf "%s:%d: %s\n", FILENAME, FNR, text
    wrong = 1
}

FNR == 1 {
    split(FILENAME, part, "/")
    module = part[1] == "src" ? part[2] : part[1]
    folder = FILENAME
    sub(/[^\/]*$/, "", folder)
    if (!(module in allowed)) complain("a module that scripts/layers.awk does not know: " module)
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, quoted, "\"")
    name = quoted[2]
    if (name ~ /\.pb-c\.h$/) {
        if (!has(generated, module)) complain(module " may not use protobuf messages: " name)
    } else if (name ~ /\//) {
        # A folder that is no module is one of the sandbox's own.
        split(name, step, "/")
        if (module != "sandbox" && !(step[1] in allowed)) complain("no module: " name)
        if (step[1] in allowed && !has(allowed[module], step[1])) complain(module " may not include " name)
    } else if (module != "sandbox" && name ~ /\.h$/) {
        complain("write the module too: " name)
    }
}

/^[ \t]*#[ \t]*include[ \t]*</ {
    name = $0
    sub(/^[^<]*</, "", name)
    sub(/>.*$/, "", name)
    split(name, step, "/")
    if (step[1] in library && !has(library[step[1]], module)) complain(module " may not use the library of <" name ">")
}

module != "cli" && module != "sandbox" && FILENAME != "src/base/memory.c" &&
    /(^|[^A-Za-z0-9_])((printf|puts|putchar|perror)[ ]*\(|(stdout|stderr)[^A-Za-z0-9_])/ && !/^[ \t]*\/\// {
    complain("only cli/ writes to the terminal")
}

END {
    exit wrong
}
