//# decoder
function Decoder(bytes, port) {
  if (port === 3) return { fix: false };
  var lat = ((bytes[0] << 16) >>> 0) + ((bytes[1] << 8) >>> 0) + bytes[2];
  lat = (lat / 16777215.0 * 180) - 90;
  var lon = ((bytes[3] << 16) >>> 0) + ((bytes[4] << 8) >>> 0) + bytes[5];
  lon = (lon / 16777215.0 * 360) - 180;
  var alt = ((bytes[6] << 8) >>> 0) + bytes[7];
  var sign = bytes[6] & (1 << 7);
  if (sign) alt = 0xFFFF0000 | alt;
  return { latitude: lat, longitude: lon, altitude: alt, hdop: bytes[8] / 10.0, fix: true };
}
//# up 1 ca7ac78394b100500a => {"altitude":80,"fix":true,"hdop":1,"latitude":52.36847653201082,"longitude":5.035547318193153}
//# up 1 000000ffffffff380a => {"altitude":-200,"fix":true,"hdop":1,"latitude":-90,"longitude":180}
//# up 3 00 => {"fix":false}
