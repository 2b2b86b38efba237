//# decoder
function Decoder(bytes, port) { return { get bad() { throw new Error('not now'); } }; }
//# up 1 08 => error
