//# decoder
function Decoder(bytes, port) { return { a: 1 }; }
//# converter
function Converter(decoded, port) { return [decoded.a]; }
//# up 1 00 => error
