//# decoder
function Decoder(bytes, port) { return { t: bytes[0] - 50 }; }
//# validator
function Validator(converted, port) { return converted.t >= -40 && converted.t <= 85; }
//# up 1 50 => {"t":30}
//# up 1 ff => refused
//# up 1 00 => refused
