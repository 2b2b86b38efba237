//# decoder
function Decoder(bytes, port) {
  label: for (var i in bytes) { do { if (i > 1) break label; } while (false); }
  var o = { if: 1, 'new': 2 }, x = void 0, y = (1, 2);
  try { nothing(); } catch (e) { x = e.name; } finally { y++; }
  with (o) { y += o['new']; }
  return { x: x, y: y, i: +i, re: /a\/b/i.test('A/B'), n: 0x1F, e: 1e3, t: typeof o, d: delete o['new'] };
}
//# up 1 01020304 => {"d":true,"e":1000,"i":2,"n":31,"re":true,"t":"object","x":"ReferenceError","y":5}
