// Pictures of the emoji that incident threads are made of, drawn here so that they look alike on every machine.

const ring = (fill) => `<circle cx="12" cy="12" r="9.5" fill="${fill}"/>`;
const square = (fill) => `<rect x="2.5" y="2.5" width="19" height="19" rx="4.5" fill="${fill}"/>`;
const stroke = (d, color = "#fff", width = 2.6) => `<path d="${d}" fill="none" stroke="${color}" stroke-width="${width}" stroke-linecap="round" stroke-linejoin="round"/>`;
const face = (inside) => `${ring("#fbc93d")}${inside}`;
const eyes = '<circle cx="8.7" cy="10" r="1.4" fill="#4a3512"/><circle cx="15.3" cy="10" r="1.4" fill="#4a3512"/>';
const glass = '<path d="M6 3h12M6 21h12" stroke="#8a6a3a" stroke-width="2.2" stroke-linecap="round"/><path d="M7.5 4v3.5L12 12l4.500-4.500V4zM7.500 20v-3.500L12 12l4.500 4.500V20z" fill="#cfe3f5" stroke="#8aa3bb"/>';

const ART = {
  white_check_mark: square("#2aa567") + stroke("m7 12.500 3.500 3.500L17 8.500"),
  heavy_check_mark: stroke("m4.500 13 5 5L19.500 6.500", "#2aa567", 3.400),
  ballot_box_with_check: square("#4b7bd6") + stroke("m7 12.500 3.500 3.500L17 8.500"),
  x: stroke("M5.500 5.500l13 13M18.500 5.500l-13 13", "#d9364f", 4),
  heavy_multiplication_x: stroke("M6 6l12 12M18 6 6 18", "#6a7080", 3.200),
  warning: `<path d="M12 3 1.800 20.500h20.400z" fill="#f6b92b" stroke="#f6b92b" stroke-width="2" stroke-linejoin="round"/>${stroke("M12 9.500v5M12 17.800v.1", "#3a2c05", 2.300)}`,
  rotating_light: `<path d="M6 18v-6a6 6 0 0 1 12 0v6z" fill="#e23b4e"/><path d="M9 17v-5a3 3 0 0 1 3-3" stroke="#ffb9c1" stroke-width="1.800" fill="none" stroke-linecap="round"/><rect x="4" y="18" width="16" height="3.500" rx="1.300" fill="#59607a"/>${stroke("M12 1.500v2M3 5l1.700 1.500M21 5l-1.700 1.500", "#f0a52e", 1.900)}`,
  fire: '<path d="M12.500 2c1 4 6.500 6.500 6.500 12.500A7 7 0 0 1 5 14.500C5 11 7.500 9.500 8 6.500c1.700 1 2.400 2.300 2.500 3.800C12 8 12.800 5 12.500 2z" fill="#f2702c"/><path d="M12 12c.6 2 3 3 3 5.500a3 3 0 0 1-6 0c0-2 2-3 3-5.500z" fill="#fcd34d"/>',
  boom: '<path d="m12 1.500 2.300 5.200 5-2.700-1.800 5.400 5 1.800-5 2.200 2.300 5-5.300-1.700L12 22.500l-2.500-5.800-5.300 1.700 2.300-5-5-2.200 5-1.800L4.700 4l5 2.700z" fill="#f59e2c"/><circle cx="12" cy="12" r="3.600" fill="#fde68a"/>',
  zap: '<path d="M13.500 2 4.500 13.500h6L9.500 22l10-12.500h-6.500z" fill="#f7b92c"/>',
  sparkles: '<path d="M10 4l1.800 5.200L17 11l-5.200 1.800L10 18l-1.800-5.200L3 11l5.200-1.800zM18.500 3l.8 2.200 2.200.8-2.200.8-.8 2.200-.8-2.200-2.200-.8 2.200-.8zM18.500 15l.8 2.200 2.200.8-2.200.8-.8 2.200-.8-2.200-2.200-.8 2.200-.8z" fill="#f7b92c"/>',
  star: '<path d="m12 2.500 2.900 6.200 6.600.8-4.900 4.600 1.300 6.700L12 17.500l-5.900 3.300 1.300-6.700L2.500 9.500l6.600-.8z" fill="#f7b92c"/>',
  rocket: '<path d="M14.500 3.500c3-1.500 6-1.200 6-1.200s.5 3-1 6.200C17.800 12 13 16 13 16l-5-5s3-5.700 6.500-7.500z" fill="#dfe5f1" stroke="#93a0ba"/><circle cx="15.300" cy="8.300" r="1.900" fill="#4b7bd6"/><path d="m8 11-4.500 1 2-4.200L10 7zM13 16l-1 4.500 4.200-2L17 14z" fill="#dc4a5b"/><path d="M7 14c-2.500.8-3.500 5.800-3.500 5.800S8.700 19 10 17z" fill="#f59e2c"/>',
  tada: '<path d="M3 21.500 8.500 8l7.500 7.500z" fill="#e0a93b"/><path d="M5.300 15.800l3 3M7 12l5 5" stroke="#b8481f" stroke-width="1.600"/><path d="M12 9c2-1 2.500-3.500 1.500-6M15 12c1.700-2.300 4-2.500 6.500-1.500" fill="none" stroke="#4b7bd6" stroke-width="1.900" stroke-linecap="round"/><circle cx="18.500" cy="4.500" r="1.400" fill="#d9364f"/><circle cx="20.500" cy="15" r="1.300" fill="#2aa567"/><circle cx="8.500" cy="4" r="1.200" fill="#8a55c9"/>',
  eyes: '<ellipse cx="7" cy="12" rx="4.800" ry="7" fill="#fff" stroke="#9aa1b2"/><ellipse cx="17" cy="12" rx="4.800" ry="7" fill="#fff" stroke="#9aa1b2"/><ellipse cx="5.700" cy="13" rx="2.200" ry="3.300" fill="#3b2d24"/><ellipse cx="15.700" cy="13" rx="2.200" ry="3.300" fill="#3b2d24"/>',
  mag: '<circle cx="10" cy="10" r="6.200" fill="#d8ecfb" stroke="#5f6a82" stroke-width="2.200"/><path d="m14.800 14.800 6 6" stroke="#5f6a82" stroke-width="3.400" stroke-linecap="round"/>',
  bulb: '<path d="M12 2.500a7 7 0 0 1 4 12.700V18H8v-2.800A7 7 0 0 1 12 2.500z" fill="#fbd34d"/><path d="M8.500 18.500h7v3h-7z" fill="#8b93a7"/>',
  bug: '<ellipse cx="12" cy="14" rx="5" ry="6.500" fill="#5aa557"/><circle cx="12" cy="6" r="3" fill="#3e7d3c"/><path d="M12 8v12M7 11 3 9M7 15H2.500M7.500 18 4 21M17 11l4-2M17 15h4.500M16.500 18l3.500 3" stroke="#3e7d3c" stroke-width="1.600" fill="none" stroke-linecap="round"/>',
  wrench: '<path d="M20.500 6.500a5.500 5.500 0 0 1-7.300 6.300L6.500 19.700a2 2 0 0 1-2.900-2.900l6.900-6.700A5.500 5.500 0 0 1 17 3.200L13.800 6.500l.7 2.900 2.900.7z" fill="#8b97ad"/>',
  gear: '<path d="M12 2.500 14 5l3-.6 1 3 3 1-.6 3 2 2.100-2.500 2 .2 3.100-3.100.4-1.500 2.700L12 20l-3 1.500-1.500-2.700-3.100-.4.2-3.100-2.500-2 2-2.100-.6-3 3-1 1-3 3 .6z" fill="#8b97ad"/><circle cx="12" cy="12" r="3.400" fill="#fff"/>',
  hammer_and_wrench: '<path d="m4 19.500 9-9M14 4l6 6-3 2-5-5z" stroke="#8a6a3a" stroke-width="2.600" fill="#7d879c" stroke-linecap="round"/><path d="M4 5.500 19.500 20" stroke="#8b97ad" stroke-width="3" stroke-linecap="round"/>',
  package: '<path d="M3 7.500 12 3l9 4.500v9.500L12 21.500 3 17z" fill="#c9975c"/><path d="M3 7.500 12 12l9-4.500M12 12v9.500" stroke="#8f6434" stroke-width="1.500" fill="none"/><path d="m7.500 5.200 9 4.500v3.500" stroke="#eed4af" stroke-width="2" fill="none"/>',
  lock: '<path d="M7.500 11V8a4.500 4.500 0 0 1 9 0v3" fill="none" stroke="#8b97ad" stroke-width="2.400"/><rect x="4.500" y="10.500" width="15" height="11" rx="2.500" fill="#eab23c"/><circle cx="12" cy="16" r="1.700" fill="#6a4b0c"/>',
  unlock: '<path d="M4.500 9V7.500a4 4 0 0 1 8 0v3" fill="none" stroke="#8b97ad" stroke-width="2.400"/><rect x="7.500" y="10.500" width="14" height="11" rx="2.500" fill="#eab23c"/>',
  bell: '<path d="M12 3a6 6 0 0 1 6 6v5l2 3.500H4L6 14V9a6 6 0 0 1 6-6z" fill="#f0b429"/><path d="M9.800 19.500a2.300 2.300 0 0 0 4.400 0z" fill="#a8771a"/>',
  mega: '<path d="M4 9.500h5L19 4v16L9 14.500H4z" fill="#d9515f"/><path d="M6.500 15h3.500l1 5.500H8z" fill="#9aa1b2"/>',
  shield: '<path d="M12 2.500 20 5v6.500c0 5-3.500 8.300-8 10-4.500-1.700-8-5-8-10V5z" fill="#4b7bd6"/>' + stroke("m8.300 12 2.700 2.700L16 9.500", "#fff", 2.300),
  no_entry: ring("#d9364f") + '<rect x="6" y="10.300" width="12" height="3.400" rx="1" fill="#fff"/>',
  no_entry_sign: `<circle cx="12" cy="12" r="8.500" fill="none" stroke="#d9364f" stroke-width="2.800"/>${stroke("m6.500 6.500 11 11", "#d9364f", 2.800)}`,
  octagonal_sign: '<path d="M8 2.500h8L21.500 8v8L16 21.500H8L2.500 16V8z" fill="#d9364f"/><path d="M7 12h10" stroke="#fff" stroke-width="3" stroke-linecap="round"/>',
  construction: '<rect x="2" y="6" width="20" height="8" rx="1.500" fill="#f6b92b"/><path d="m5 14 4-8M11 14l4-8M17 14l4-8" stroke="#2d2f3a" stroke-width="2.600"/><path d="M5.500 14v7M18.500 14v7" stroke="#7d879c" stroke-width="2.200"/>',
  exclamation: stroke("M12 3.500v11", "#d9364f", 4) + '<circle cx="12" cy="20" r="2.200" fill="#d9364f"/>',
  question: stroke("M7.500 8a4.500 4.500 0 1 1 6.500 4c-1.500.8-2 1.600-2 3", "#d9364f", 3.400) + '<circle cx="12" cy="20" r="2" fill="#d9364f"/>',
  information_source: square("#4b7bd6") + stroke("M12 11v6", "#fff", 3) + '<circle cx="12" cy="7" r="1.700" fill="#fff"/>',
  red_circle: ring("#dc3648"),
  large_orange_circle: ring("#f0862c"),
  large_yellow_circle: ring("#f5c02e"),
  large_green_circle: ring("#2fae6b"),
  large_blue_circle: ring("#3f7fe0"),
  large_purple_circle: ring("#8a55c9"),
  white_circle: '<circle cx="12" cy="12" r="9" fill="#f0f1f5" stroke="#b9bdca"/>',
  black_circle: ring("#33363f"),
  large_blue_square: square("#3f7fe0"),
  large_green_square: square("#2fae6b"),
  large_red_square: square("#dc3648"),
  large_yellow_square: square("#f5c02e"),
  large_orange_square: square("#f0862c"),
  white_large_square: '<rect x="2.500" y="2.500" width="19" height="19" rx="4" fill="#f0f1f5" stroke="#b9bdca"/>',
  hourglass: `${glass}<path d="M8.500 20c.8-2 2-2.800 3.500-2.800s2.700.8 3.500 2.800z" fill="#e0a93b"/>`,
  hourglass_flowing_sand: `${glass}<path d="M9 6.500h6L12 10zM9 20c.700-1.400 1.700-2 3-2s2.300.6 3 2z" fill="#e0a93b"/>${stroke("M12 10.500v6", "#e0a93b", 1.300)}`,
  stopwatch: '<circle cx="12" cy="13.500" r="8" fill="#eef1f7" stroke="#6d778d" stroke-width="2"/><path d="M10 2.500h4M12 3v2.500M12 13.500l3-3.500" stroke="#4b5266" stroke-width="2" stroke-linecap="round"/>',
  chart_with_upwards_trend: '<rect x="2.500" y="2.500" width="19" height="19" rx="3" fill="#eef1f7" stroke="#b9bdca"/>' + stroke("m5.500 17 4.500-5 3 2.500 5.500-8M14.500 6.500h4v4", "#d9364f", 2),
  chart_with_downwards_trend: '<rect x="2.500" y="2.500" width="19" height="19" rx="3" fill="#eef1f7" stroke="#b9bdca"/>' + stroke("m5.500 7 4.500 5 3-2.500 5.500 8M14.500 17.500h4v-4", "#3f7fe0", 2),
  bar_chart: '<rect x="2.500" y="2.500" width="19" height="19" rx="3" fill="#eef1f7" stroke="#b9bdca"/><path d="M6 18v-5h3v5zM10.500 18V7h3v11zM15 18v-8h3v8z" fill="#3f7fe0"/>',
  clipboard: '<rect x="4" y="4" width="16" height="18" rx="2.500" fill="#c08a50"/><rect x="6" y="6.500" width="12" height="13.500" rx="1" fill="#fff"/><rect x="8.500" y="2" width="7" height="4.500" rx="1.500" fill="#8b97ad"/>' + stroke("M8.500 10.500h7M8.500 13.500h7M8.500 16.500h4", "#aab1c2", 1.400),
  memo: '<path d="M4 3h11l4 4v15H4z" fill="#f3f5fa" stroke="#b9bdca"/>' + stroke("M7 9h6M7 12.500h5M7 16h4", "#9aa3b6", 1.400) + '<path d="m12.500 18 7.500-8 2 2-7.500 8-2.800.7z" fill="#f0a52e"/>',
  page_facing_up: '<path d="M5 2.500h9.500L19 7v14.500H5z" fill="#f3f5fa" stroke="#b9bdca"/>' + stroke("M8 9h8M8 12.500h8M8 16h5", "#9aa3b6", 1.500),
  scroll: '<path d="M6 3h12a2 2 0 0 1 2 2v2h-3v12a2.500 2.500 0 0 1-2.500 2.500H6A2.500 2.500 0 0 1 3.500 19v-1.500H6z" fill="#f0dfb8" stroke="#c8ae77"/>' + stroke("M9 8h5M9 11.500h5M9 15h4", "#a98f57", 1.400),
  link: stroke("M10 14a4 4 0 0 0 5.700 0l3.300-3.300a4 4 0 0 0-5.700-5.700l-1.300 1.300M14 10a4 4 0 0 0-5.700 0L5 13.300A4 4 0 0 0 10.700 19l1.300-1.300", "#7d879c", 2.400),
  pushpin: '<path d="m14 2.500 7.500 7.500-3 .8-3.300 3.300-.7 4.400-9-9 4.400-.7L13.200 5.500z" fill="#dc3648"/>' + stroke("M8.500 15.500 3 21", "#8b93a7", 2),
  speech_balloon: '<path d="M12 3c5.500 0 10 3.400 10 8s-4.500 8-10 8c-1 0-2-.1-3-.4L4 21.500l1-4.300C3.100 15.800 2 13.500 2 11c0-4.600 4.500-8 10-8z" fill="#f1f3f8" stroke="#a9b0c1"/>',
  thread: '<rect x="5" y="2.500" width="14" height="3.500" rx="1" fill="#c08a50"/><rect x="5" y="18" width="14" height="3.500" rx="1" fill="#c08a50"/><path d="M7 6h10v12H7z" fill="#4b7bd6"/>' + stroke("m7 9 10-2M7 12.500l10-2M7 16l10-2", "#a9c4f5", 1.400),
  arrow_right: square("#4b7bd6") + stroke("M6.500 12h11M13 7.500l4.500 4.500-4.500 4.500"),
  arrow_left: square("#4b7bd6") + stroke("M17.500 12h-11M11 7.500 6.500 12l4.500 4.500"),
  arrow_up: square("#4b7bd6") + stroke("M12 17.500v-11M7.500 11 12 6.500l4.500 4.500"),
  arrow_down: square("#4b7bd6") + stroke("M12 6.500v11M7.500 13l4.500 4.500 4.500-4.500"),
  rewind: square("#4b7bd6") + '<path d="M12 7v10l-6-5zM18.500 7v10l-6-5z" fill="#fff"/>',
  fast_forward: square("#4b7bd6") + '<path d="M5.500 7v10l6-5zM12 7v10l6-5z" fill="#fff"/>',
  leftwards_arrow_with_hook: square("#4b7bd6") + stroke("M9.500 6.500 6 10l3.500 3.500M6 10h8.500a3.500 3.500 0 0 1 0 7H11", "#fff", 2.200),
  arrows_counterclockwise: square("#4b7bd6") + stroke("M7 9.500A5.500 5.500 0 0 1 17 10M17 6.500V10h-3.500M17 14.500A5.500 5.500 0 0 1 7 14M7 17.500V14h3.500", "#fff", 2),
  repeat: square("#4b7bd6") + stroke("M6 11V9.500h11M14 6.500l3 3-3 3M18 13v1.500H7M10 17.500l-3-3 3-3", "#fff", 1.900),
  double_vertical_bar: square("#4b7bd6") + '<path d="M8 7h3v10H8zM13 7h3v10h-3z" fill="#fff"/>',
  arrow_forward: square("#4b7bd6") + '<path d="M8.500 6.500v11l9-5.500z" fill="#fff"/>',
  black_square_for_stop: square("#4b7bd6") + '<rect x="7.500" y="7.500" width="9" height="9" fill="#fff"/>',
  computer: '<rect x="4" y="4" width="16" height="11.500" rx="1.500" fill="#3c4459"/><rect x="5.500" y="5.500" width="13" height="8.500" fill="#a8c8f0"/><path d="M2 17h20l-1.500 3h-17z" fill="#8b97ad"/>',
  electric_plug: '<path d="M9 2.500v5M15 2.500v5" stroke="#8b97ad" stroke-width="2.400"/><path d="M6 7.500h12v3.500a6 6 0 0 1-12 0z" fill="#4d5468"/><path d="M12 17v5" stroke="#4d5468" stroke-width="2.400"/>',
  floppy_disk: '<path d="M3 3h15l3 3v15H3z" fill="#4b66a8"/><rect x="7" y="3" width="9" height="6" fill="#cfd6e6"/><rect x="6" y="12.500" width="12" height="8.500" fill="#eef1f7"/>',
  globe_with_meridians: ring("#3f8fd6") + stroke("M2.800 12h18.400M12 2.800c3.500 3 3.500 15.400 0 18.400M12 2.800c-3.500 3-3.500 15.400 0 18.400", "#fff", 1.500),
  robot_face: '<rect x="4" y="7" width="16" height="13" rx="3" fill="#b4bed2"/><rect x="7" y="10" width="4" height="4" rx="1" fill="#2f6fd0"/><rect x="13" y="10" width="4" height="4" rx="1" fill="#2f6fd0"/><path d="M8 17h8" stroke="#5f6a82" stroke-width="1.800"/><path d="M12 7V3.500" stroke="#5f6a82" stroke-width="1.800"/><circle cx="12" cy="3" r="1.500" fill="#d9364f"/><path d="M2.500 12v4M21.500 12v4" stroke="#5f6a82" stroke-width="2"/>',
  "+1": '<path d="M8 10.500 12 3c1.700 0 2.700 1.200 2.300 3L13.500 9.500H19c1.500 0 2.300 1.300 1.900 2.500l-2 7c-.3 1.200-1 2-2.400 2H8z" fill="#fbc93d" stroke="#d99e1f"/><rect x="3" y="10" width="4.500" height="11" rx="1.200" fill="#4b7bd6"/>',
  "-1": '<g transform="rotate(180 12 12)"><path d="M8 10.500 12 3c1.700 0 2.700 1.200 2.300 3L13.500 9.500H19c1.500 0 2.300 1.300 1.900 2.500l-2 7c-.3 1.200-1 2-2.400 2H8z" fill="#fbc93d" stroke="#d99e1f"/><rect x="3" y="10" width="4.500" height="11" rx="1.200" fill="#4b7bd6"/></g>',
  raised_hands: '<path d="M4 12V7a1.500 1.500 0 0 1 3 0v-2a1.500 1.500 0 0 1 3 0v8c0 4-1 6-3.500 6S3 16 4 12zM20 12V7a1.500 1.500 0 0 0-3 0v-2a1.500 1.500 0 0 0-3 0v8c0 4 1 6 3.500 6S21 16 20 12z" fill="#fbc93d" stroke="#d99e1f"/>',
  pray: '<path d="M11.500 4v13l-5 4-3-3 3-4V9zM12.500 4v13l5 4 3-3-3-4V9z" fill="#fbc93d" stroke="#d99e1f"/>',
  wave: '<path d="M7 11 5 7.500a1.400 1.400 0 0 1 2.400-1.400L10 10 8 5a1.400 1.400 0 0 1 2.600-1l2.200 5-.8-4a1.400 1.400 0 0 1 2.700-.6l1.300 5.600 1.500-2a1.500 1.500 0 0 1 2.500 1.700c-1 2-1 4-1.500 6-1 4-4 5.500-7 4.500S8.500 15 7 11z" fill="#fbc93d" stroke="#d99e1f"/>',
  clap: '<path d="M6 13 4 8.500a1.400 1.400 0 0 1 2.500-1.200L9 11 7 5.500a1.400 1.400 0 0 1 2.600-1L13 11l-.5-3a1.400 1.400 0 0 1 2.700-.6L16 12c1 5-1 8.500-4.500 8.500S7.500 17 6 13z" fill="#fbc93d" stroke="#d99e1f"/>' + stroke("M17 3.500 16 6M20.500 6 18 7.500", "#f0862c", 1.600),
  heart: '<path d="M12 21S2.500 15 2.500 8.700A5 5 0 0 1 12 6.500a5 5 0 0 1 9.500 2.200C21.500 15 12 21 12 21z" fill="#e03a52"/>',
  "100": stroke("M4 6.500 6 5v8M10 5.200c-2.500 0-2.500 8 0 8s2.500-8 0-8zM17 5.200c-2.500 0-2.500 8 0 8s2.500-8 0-8z", "#d9364f", 2) + stroke("m4 18 15-2M7 21.500l10-1.300", "#d9364f", 1.800),
  smile: face(`${eyes}<path d="M7 14c1.500 4.500 8.500 4.500 10 0z" fill="#7a4a12"/>`),
  slightly_smiling_face: face(eyes + stroke("M8 14.500c2 2.500 6 2.500 8 0", "#4a3512", 1.700)),
  thinking_face: face(eyes + stroke("M9 15.500c2-.8 4-.8 6 .3M7 7l3-.7", "#4a3512", 1.600)),
  joy: face(`${stroke("M7 10.500l1.700-1.500 1.700 1.500M13.600 10.500l1.700-1.500 1.700 1.500", "#4a3512", 1.500)}<path d="M7 13c1.500 5.500 8.500 5.500 10 0z" fill="#7a4a12"/><circle cx="4.500" cy="13" r="2" fill="#6fb4f0"/><circle cx="19.500" cy="13" r="2" fill="#6fb4f0"/>`),
  scream: `<circle cx="12" cy="12" r="9.500" fill="#a9d3f2"/>${eyes}<ellipse cx="12" cy="16.500" rx="2.300" ry="3.200" fill="#4a3512"/>`,
  checkered_flag: '<path d="M5 2.500V22" stroke="#6d778d" stroke-width="2"/><path d="M6 3.500h15v10H6z" fill="#fff" stroke="#888"/><path d="M6 3.500h5v3.300H6zM16 3.500h5v3.300h-5zM11 6.800h5v3.400h-5zM6 10.200h5v3.300H6zM16 10.200h5v3.300h-5z" fill="#2d2f3a"/>',
  triangular_flag_on_post: '<path d="M6 2.500V22" stroke="#6d778d" stroke-width="2"/><path d="m7 3 13 5-13 5z" fill="#dc3648"/>',
  dart: '<circle cx="12" cy="12" r="9.500" fill="#dc3648"/><circle cx="12" cy="12" r="6.300" fill="#fff"/><circle cx="12" cy="12" r="3.200" fill="#dc3648"/>',
  baby_chick: '<circle cx="12" cy="8" r="5" fill="#fbd34d"/><ellipse cx="12" cy="16" rx="7" ry="6" fill="#fbd34d"/><circle cx="10.300" cy="7.300" r=".9" fill="#2d2f3a"/><circle cx="13.700" cy="7.300" r=".9" fill="#2d2f3a"/><path d="m11 9 1 1.600L13 9z" fill="#f0862c"/>',
  bust_in_silhouette: '<circle cx="12" cy="8" r="4.500" fill="#7d879c"/><path d="M3.500 21c.5-5 4-7 8.500-7s8 2 8.500 7z" fill="#7d879c"/>',
  calendar: '<rect x="3" y="4.500" width="18" height="17" rx="2" fill="#f3f5fa" stroke="#b9bdca"/><path d="M3 5.500h18V10H3z" fill="#dc3648"/>' + stroke("M7.500 2.500v4M16.500 2.500v4", "#6d778d", 2),
  satellite: '<rect x="9" y="9" width="6" height="6" rx="1" transform="rotate(45 12 12)" fill="#8b97ad"/><path d="m3 7 4-4 4 4-4 4zM13 17l4-4 4 4-4 4z" fill="#4b7bd6"/>',
};

const SAME = {
  thumbsup: "+1", thumbsdown: "-1", mag_right: "mag", alarm_clock: "stopwatch", clock3: "stopwatch", loudspeaker: "mega",
  canary: "baby_chick", hammer: "hammer_and_wrench", desktop_computer: "computer", grinning: "smile", blush: "slightly_smiling_face",
  small_red_triangle: "warning", label: "pushpin", round_pushpin: "pushpin", file_folder: "page_facing_up", grey_question: "question",
};

export function art(name, sign) {
  const inside = ART[name] || ART[SAME[name]];
  if (!inside) return null;
  const box = document.createElement("template");
  box.innerHTML = `<svg class="emoji" viewBox="0 0 24 24" role="img"><title></title>${inside}</svg>`;
  const svg = box.content.firstChild;
  svg.querySelector("title").textContent = sign;
  svg.setAttribute("aria-label", `:${name}:`);
  return svg;
}
