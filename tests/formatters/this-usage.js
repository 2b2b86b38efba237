//# decoder
function Decoder(bytes, port) {
  this.decoded = { value: bytes[0] };
  this.decoded.twice = this.decoded.value * 2;
  return this.decoded;
}
//# up 1 15 => {"twice":42,"value":21}
