//# decoder
var a = 1
var b = 2
function Decoder(bytes, port) {
  var x = a + b
  return { x: x }
}
//# up 1 00 => {"x":3}
