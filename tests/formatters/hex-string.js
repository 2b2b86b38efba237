//# decoder
function toHex(b) { return ('0' + b.toString(16).toUpperCase()).slice(-2); }
function Decoder(bytes, port) { return { hex: bytes.map(toHex).join(':'), upper: bytes.map(toHex).join('').substr(0, 4) }; }
//# up 1 00a1ff10 => {"hex":"00:A1:FF:10","upper":"00A1"}
