//# decoder
function Decoder(bytes, port) { return { value: bytes[0], keep: null, other: 1 }; }
//# converter
function Converter(d, port) { d.value = null; d.other = undefined; return d; }
//# up 1 05 => {"keep":null}
