//# decoder
var codec = {
  factor: 0.25,
  read: function (b, i) { return (b[i] << 8 | b[i + 1]) * this.factor; }
};
function Decoder(bytes, port) { return { level: codec.read(bytes, 0), flow: codec.read(bytes, 2) }; }
//# up 1 00100020 => {"flow":8,"level":4}
