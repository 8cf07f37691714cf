// Short names of the emoji people use, and how they are drawn.

import { art } from "/static/js/emoji-art.js";

export const EMOJI = {
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", ok_hand: "👌", clap: "👏", raised_hands: "🙌", pray: "🙏",
  wave: "👋", muscle: "💪", point_right: "👉", point_left: "👈", point_up: "☝️", point_down: "👇", raised_hand: "✋",
  smile: "😄", grinning: "😀", joy: "😂", sweat_smile: "😅", wink: "😉", blush: "😊", heart_eyes: "😍", thinking_face: "🤔",
  slightly_smiling_face: "🙂", neutral_face: "😐", cry: "😢", sob: "😭", scream: "😱", rage: "😡", sunglasses: "😎",
  sleeping: "😴", face_with_rolling_eyes: "🙄", robot_face: "🤖", ghost: "👻", skull: "💀", see_no_evil: "🙈",
  heart: "❤️", broken_heart: "💔", fire: "🔥", boom: "💥", sparkles: "✨", star: "⭐", zap: "⚡", tada: "🎉", rocket: "🚀",
  eyes: "👀", bulb: "💡", bug: "🐛", wrench: "🔧", hammer: "🔨", gear: "⚙️", hammer_and_wrench: "🛠️", package: "📦",
  lock: "🔒", unlock: "🔓", key: "🔑", shield: "🛡️", bell: "🔔", no_bell: "🔕", loudspeaker: "📢", mega: "📣",
  rotating_light: "🚨", warning: "⚠️", no_entry: "⛔", no_entry_sign: "🚫", octagonal_sign: "🛑", construction: "🚧",
  white_check_mark: "✅", heavy_check_mark: "✔️", ballot_box_with_check: "☑️", x: "❌", heavy_multiplication_x: "✖️",
  exclamation: "❗", question: "❓", grey_question: "❔", information_source: "ℹ️", bangbang: "‼️",
  red_circle: "🔴", large_orange_circle: "🟠", large_yellow_circle: "🟡", large_green_circle: "🟢", large_blue_circle: "🔵",
  large_purple_circle: "🟣", white_circle: "⚪", black_circle: "⚫", large_blue_square: "🟦", large_green_square: "🟩",
  large_red_square: "🟥", large_yellow_square: "🟨", large_orange_square: "🟧", white_large_square: "⬜",
  hourglass: "⌛", hourglass_flowing_sand: "⏳", stopwatch: "⏱️", alarm_clock: "⏰", clock3: "🕒", calendar: "📅",
  mag: "🔍", mag_right: "🔎", telescope: "🔭", microscope: "🔬", satellite: "🛰️", compass: "🧭",
  chart_with_upwards_trend: "📈", chart_with_downwards_trend: "📉", bar_chart: "📊", clipboard: "📋", memo: "📝",
  page_facing_up: "📄", file_folder: "📁", open_file_folder: "📂", books: "📚", book: "📖", link: "🔗", paperclip: "📎",
  pushpin: "📌", round_pushpin: "📍", scroll: "📜", thread: "🧵", speech_balloon: "💬", thought_balloon: "💭",
  arrow_right: "➡️", arrow_left: "⬅️", arrow_up: "⬆️", arrow_down: "⬇️", arrow_upper_right: "↗️", arrow_lower_right: "↘️",
  rewind: "⏪", fast_forward: "⏩", leftwards_arrow_with_hook: "↩️", arrows_counterclockwise: "🔄", repeat: "🔁",
  double_vertical_bar: "⏸️", arrow_forward: "▶️", black_square_for_stop: "⏹️", small_red_triangle: "🔺", small_blue_diamond: "🔹",
  computer: "💻", desktop_computer: "🖥️", floppy_disk: "💾", cd: "💿", electric_plug: "🔌", battery: "🔋", cloud: "☁️",
  globe_with_meridians: "🌐", earth_africa: "🌍", house: "🏠", office: "🏢", factory: "🏭", hospital: "🏥", ambulance: "🚑",
  fire_engine: "🚒", ship: "🚢", anchor: "⚓", airplane: "✈️", car: "🚗", traffic_light: "🚦", vertical_traffic_light: "🚦",
  baby_chick: "🐤", bird: "🐦", canary: "🐤", snail: "🐌", turtle: "🐢", elephant: "🐘", whale: "🐳", octopus: "🐙",
  coffee: "☕", beer: "🍺", pizza: "🍕", cake: "🍰", apple: "🍎", tea: "🍵",
  sunny: "☀️", partly_sunny: "⛅", rainbow: "🌈", snowflake: "❄️", umbrella: "☂️", moon: "🌔",
  "100": "💯", one: "1️⃣", two: "2️⃣", three: "3️⃣", four: "4️⃣", five: "5️⃣", new: "🆕", ok: "🆗", up: "🆙", sos: "🆘",
  checkered_flag: "🏁", triangular_flag_on_post: "🚩", white_flag: "🏳️", trophy: "🏆", medal: "🏅", dart: "🎯", gem: "💎",
  moneybag: "💰", credit_card: "💳", shopping_trolley: "🛒", label: "🏷️", bookmark: "🔖", envelope: "✉️", email: "📧",
  inbox_tray: "📥", outbox_tray: "📤", phone: "☎️", bust_in_silhouette: "👤", busts_in_silhouette: "👥", speaker: "🔈",
};

const QUICK = ["+1", "white_check_mark", "eyes", "tada", "fire", "rocket", "warning", "x", "raised_hands", "heart", "thinking_face", "rotating_light", "pray", "100", "bulb", "large_green_circle"];
export const quickNames = () => QUICK;

const drawnFor = new Map(Object.entries(EMOJI).map(([name, sign]) => [bare(sign), name]));
const PICTURE = /\p{Extended_Pictographic}\uFE0F?(?:\u200D\p{Extended_Pictographic}\uFE0F?)*|[0-9]\uFE0F\u20E3/gu;
const PLAIN_SIGNS = /^[©®™↔↕‼⁉]$/u;

function bare(sign) {
  return sign.replace(/\uFE0F/g, "");
}

export function emojiNode(name) {
  const [stem] = name.split("::");
  const sign = EMOJI[stem];
  if (!sign) return document.createTextNode(`:${name}:`);
  return drawn(stem, sign);
}

function drawn(name, sign) {
  const picture = art(name, sign);
  if (picture) return picture;
  const node = document.createElement("span");
  node.className = "emoji";
  node.textContent = name && !hasEmojiFont() ? `:${name}:` : sign;
  node.title = `:${name}:`;
  return node;
}

let fontFound = null;

// Without an emoji font a sign is an empty box; its name says more.
function hasEmojiFont() {
  if (fontFound === null) {
    const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const look = (sign) => {
      pen.clearRect(0, 0, 40, 40);
      pen.font = "24px sans-serif";
      pen.fillText(sign, 4, 28);
      return pen.getImageData(0, 0, 40, 40).data.join();
    };
    fontFound = look("👻") !== look("🐢");
  }
  return fontFound;
}

// Plain text with :names: and emoji signs turned into pictures.
export function withEmoji(text) {
  const made = [];
  let at = 0;
  const pattern = new RegExp(`:([a-z0-9_+'-]+)(?:::skin-tone-[2-6])?:|${PICTURE.source}`, "gu");
  for (const match of text.matchAll(pattern)) {
    let node = null;
    if (match[1]) node = EMOJI[match[1]] ? drawn(match[1], EMOJI[match[1]]) : null;
    else if (!PLAIN_SIGNS.test(match[0])) node = drawn(drawnFor.get(bare(match[0])) || "", match[0]);
    if (!node) continue;
    if (match.index > at) made.push(text.slice(at, match.index));
    made.push(node);
    at = match.index + match[0].length;
  }
  if (at < text.length) made.push(text.slice(at));
  return made;
}
