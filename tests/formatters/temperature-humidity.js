//# decoder
// Room sensor: temperature in hundredths of a degree, signed; humidity in half percents.
function Decoder(bytes, port) {
  var decoded = {};
  var t = (bytes[0] << 8) | bytes[1];
  if (t & 0x8000) t -= 0x10000;
  decoded.temperature = t / 100;
  decoded.humidity = bytes[2] / 2;
  return decoded;
}
//# up 1 08fc5a => {"humidity":45,"temperature":23}
//# up 1 ff385a => {"humidity":45,"temperature":-2}
//# up 1 => error
