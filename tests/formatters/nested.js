//# decoder
function Decoder(bytes, port) {
  return { device: { battery: { volts: bytes[0] / 50, low: bytes[0] < 150 }, sensors: [{ id: 1, t: bytes[1] }, { id: 2, t: bytes[2], sub: [[1, 2], [3]] }] } };
}
//# converter
function Converter(decoded, port) {
  decoded.device.sensors.forEach(function (s) { s.t = s.t * 2 + 32; });
  decoded.device.battery.percent = Math.round((decoded.device.battery.volts - 2) * 100);
  return decoded;
}
//# up 1 a0080c => {"device":{"battery":{"low":false,"percent":120,"volts":3.2},"sensors":[{"id":1,"t":48},{"id":2,"sub":[[1,2],[3]],"t":56}]}}
