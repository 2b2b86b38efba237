//# decoder
function Decoder(bytes, port) { return { raw: bytes[0] << 8 | bytes[1], port: port }; }
//# converter
function Converter(decoded, port) {
  var converted = decoded;
  if (port === 1) { converted.temperature = +(converted.raw / 100).toFixed(1); delete converted.raw; }
  else if (port === 2) { converted.co2 = converted.raw; }
  return converted;
}
//# up 1 0955 => {"port":1,"temperature":23.9}
//# up 2 0190 => {"co2":400,"port":2,"raw":400}
//# up 3 0001 => {"port":3,"raw":1}
