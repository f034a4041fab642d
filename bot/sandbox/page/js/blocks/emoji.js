/**
 * The emoji shortcodes that apps use most, by the names Slack gives them. A name that is not here stays as typed.
 */

const TABLE = `
+1 👍|thumbsup 👍|-1 👎|thumbsdown 👎|wave 👋|tada 🎉|clap 👏|pray 🙏|raised_hands 🙌|muscle 💪|ok_hand 👌|point_right 👉
point_left 👈|point_up ☝️|point_down 👇|point_up_2 👆|v ✌️|crossed_fingers 🤞|handshake 🤝|writing_hand ✍️|eyes 👀|brain 🧠
smile 😄|smiley 😃|grinning 😀|grin 😁|joy 😂|laughing 😆|slightly_smiling_face 🙂|blush 😊|wink 😉|heart_eyes 😍|sunglasses 😎
thinking_face 🤔|neutral_face 😐|expressionless 😑|confused 😕|worried 😟|disappointed 😞|cry 😢|sob 😭|sweat_smile 😅
open_mouth 😮|astonished 😲|scream 😱|sleeping 😴|nerd_face 🤓|hugging_face 🤗|robot_face 🤖|ghost 👻|skull 💀|zzz 💤|see_no_evil 🙈
heart ❤️|broken_heart 💔|blue_heart 💙|green_heart 💚|yellow_heart 💛|purple_heart 💜|sparkles ✨|star ⭐|star2 🌟|dizzy 💫|boom 💥
fire 🔥|zap ⚡|rainbow 🌈|sunny ☀️|cloud ☁️|snowflake ❄️|umbrella ☔|ocean 🌊|earth_africa 🌍|crescent_moon 🌙|seedling 🌱
herb 🌿|four_leaf_clover 🍀|mushroom 🍄|leaves 🍃|tophat 🎩|magic_wand 🪄|crystal_ball 🔮|black_cat 🐈‍⬛|bug 🐛|snail 🐌|turtle 🐢
rocket 🚀|airplane ✈️|car 🚗|bike 🚲|construction 🚧|rotating_light 🚨|vertical_traffic_light 🚦|checkered_flag 🏁
triangular_flag_on_post 🚩|trophy 🏆|medal 🏅|sports_medal 🏅|first_place_medal 🥇|second_place_medal 🥈|third_place_medal 🥉|dart 🎯
game_die 🎲|jigsaw 🧩|art 🎨|musical_note 🎵|microphone 🎤|camera 📷|computer 💻|desktop_computer 🖥️|keyboard ⌨️|floppy_disk 💾
cd 💿|battery 🔋|electric_plug 🔌|bulb 💡|flashlight 🔦|mag 🔍|mag_right 🔎|microscope 🔬|telescope 🔭|test_tube 🧪|alembic ⚗️
dna 🧬|abacus 🧮|wrench 🔧|hammer 🔨|hammer_and_wrench 🛠️|gear ⚙️|nut_and_bolt 🔩|link 🔗|paperclip 📎|pushpin 📌|round_pushpin 📍
scissors ✂️|lock 🔒|unlock 🔓|key 🔑|bell 🔔|no_bell 🔕|mega 📣|loudspeaker 📢|speech_balloon 💬|thought_balloon 💭|email 📧
envelope ✉️|inbox_tray 📥|outbox_tray 📤|package 📦|memo 📝|pencil 📝|pencil2 ✏️|clipboard 📋|page_facing_up 📄|page_with_curl 📃
bookmark_tabs 📑|bar_chart 📊|chart_with_upwards_trend 📈|chart_with_downwards_trend 📉|chart 💹|calendar 📆|date 📅|spiral_calendar_pad 🗓️
card_index 📇|card_file_box 🗃️|file_folder 📁|open_file_folder 📂|wastebasket 🗑️|books 📚|book 📖|bookmark 🔖|label 🏷️|newspaper 📰
hourglass ⌛|hourglass_flowing_sand ⏳|stopwatch ⏱️|alarm_clock ⏰|timer_clock ⏲️|watch ⌚|clock1 🕐|clock2 🕑|clock3 🕒|clock12 🕛
white_check_mark ✅|heavy_check_mark ✔️|ballot_box_with_check ☑️|x ❌|negative_squared_cross_mark ❎|heavy_multiplication_x ✖️
warning ⚠️|exclamation ❗|heavy_exclamation_mark ❗|question ❓|grey_question ❔|grey_exclamation ❕|bangbang ‼️|no_entry ⛔
no_entry_sign 🚫|octagonal_sign 🛑|information_source ℹ️|sos 🆘|new 🆕|ok 🆗|up 🆙|cool 🆒|free 🆓|100 💯|recycle ♻️|infinity ♾️
arrow_right ➡️|arrow_left ⬅️|arrow_up ⬆️|arrow_down ⬇️|arrow_upper_right ↗️|arrow_lower_right ↘️|leftwards_arrow_with_hook ↩️
arrow_right_hook ↪️|arrows_counterclockwise 🔄|arrows_clockwise 🔃|repeat 🔁|repeat_one 🔂|twisted_rightwards_arrows 🔀|arrow_forward ▶️
double_vertical_bar ⏸️|pause_button ⏸️|black_square_for_stop ⏹️|stop_button ⏹️|black_circle_for_record ⏺️|fast_forward ⏩|rewind ⏪
black_right_pointing_double_triangle_with_vertical_bar ⏭️|heavy_plus_sign ➕|heavy_minus_sign ➖|heavy_division_sign ➗
red_circle 🔴|large_orange_circle 🟠|large_yellow_circle 🟡|large_green_circle 🟢|large_blue_circle 🔵|large_purple_circle 🟣
white_circle ⚪|black_circle ⚫|large_brown_circle 🟤|large_green_square 🟩|large_red_square 🟥|large_yellow_square 🟨|large_blue_square 🟦
white_large_square ⬜|black_large_square ⬛|small_blue_diamond 🔹|small_orange_diamond 🔸|large_blue_diamond 🔷|radio_button 🔘
one 1️⃣|two 2️⃣|three 3️⃣|four 4️⃣|five 5️⃣|six 6️⃣|seven 7️⃣|eight 8️⃣|nine 9️⃣|keycap_ten 🔟|zero 0️⃣|hash #️⃣
coffee ☕|tea 🍵|beer 🍺|pizza 🍕|cake 🍰|birthday 🎂|apple 🍎|gift 🎁|balloon 🎈|confetti_ball 🎊|money_with_wings 💸|moneybag 💰
scales ⚖️|shield 🛡️|crown 👑|gem 💎|mortar_board 🎓|school 🏫|hospital 🏥|house 🏠|office 🏢|factory 🏭|door 🚪|seat 💺|chair 🪑
bust_in_silhouette 👤|busts_in_silhouette 👥|technologist 🧑‍💻|scientist 🧑‍🔬|student 🧑‍🎓|teacher 🧑‍🏫|mage 🧙|person_running 🏃|runner 🏃
walking 🚶|shrug 🤷|facepalm 🤦|thread 🧵|lab_coat 🥼|goggles 🥽|control_knobs 🎛️|level_slider 🎚️|joystick 🕹️|compass 🧭|world_map 🗺️
`;

const BY_NAME = new Map(
  TABLE.trim()
    .split(/[|\n]/)
    .map((entry) => entry.split(" ")),
);

/** The emoji called `name` (without colons), or undefined. */
export const emoji = (name) => BY_NAME.get(name);

/** `text` with every known `:name:` replaced. */
export const withEmoji = (text) => text.replace(/:([a-z0-9_+-]+):/g, (typed, name) => emoji(name) ?? typed);
