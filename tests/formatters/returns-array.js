//# decoder
function Decoder(bytes, port) { return bytes; }
//# up 1 0102 => error
