//# decoder
function Decoder(bytes, port) {
  var mv = 2000 + bytes[0] * 10, pct = Math.max(0, Math.min(100, (mv - 2400) / 12));
  return { battery: { mV: mv, percent: parseInt(pct, 10), status: pct < 10 ? 'low' : pct < 50 ? 'fair' : 'good' } };
}
//# up 1 00 => {"battery":{"mV":2000,"percent":0,"status":"low"}}
//# up 1 64 => {"battery":{"mV":3000,"percent":50,"status":"good"}}
//# up 1 ff => {"battery":{"mV":4550,"percent":100,"status":"good"}}
