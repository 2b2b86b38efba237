//# decoder
function Decoder(bytes, port) {
  switch (port) {
    case 1: return { type: 'status', uptime: bytes[0] * 256 + bytes[1] };
    case 2: return { type: 'alarm', code: bytes[0] };
    case 10: return { type: 'text', text: bytes.map(function (b) { return String.fromCharCode(b); }).join('') };
  }
}
//# up 1 0102 => {"type":"status","uptime":258}
//# up 2 07 => {"code":7,"type":"alarm"}
//# up 10 48656c6c6f => {"text":"Hello","type":"text"}
//# up 99 00 => error
