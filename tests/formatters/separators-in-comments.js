//# decoder
// Before  after the line separator, which ends a comment: 
function Decoder(bytes, port) { /* one more:   here */ return { ok: true }; }
//# up 1 00 => {"ok":true}
