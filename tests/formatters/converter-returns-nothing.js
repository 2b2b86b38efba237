//# decoder
function Decoder(bytes, port) { return { a: 1 }; }
//# converter
function Converter(decoded, port) { decoded.a = 2; }
//# up 1 00 => error
