//# decoder
function Decoder(bytes, port) { return bytes.length ? null : {}; }
//# up 1 01 => error
//# up 1 => {}
