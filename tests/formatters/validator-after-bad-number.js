//# decoder
function Decoder(bytes, port) { return { x: 0 / 0 }; }
//# validator
function Validator(c, port) { return port === 1; }
//# up 1 00 => error
//# up 2 00 => refused
