/**
 * The page of the local workspace: one person's view of it, put together from its parts and kept up to date.
 *
 * The address says who looks at what (`route.js`); the change feed says what to fetch anew; every part draws what it is
 * given. Nothing else holds state.
 */

import { ChangeFeed, people as everybody, Seat } from "./api.js";
import { Composer } from "./panels/composer.js";
import { notify } from "./dialogs.js";
import { coalesced, fill } from "./dom.js";
import { Home } from "./panels/home.js";
import { inConversation, isReply, MessageList } from "./panels/messages.js";
import { ModalStack } from "./panels/modal.js";
import { plainLine } from "./blocks/mrkdwn.js";
import { addressOf, currentRoute } from "./route.js";
import { Sidebar } from "./panels/sidebar.js";
import { TrafficDrawer } from "./panels/traffic.js";

const byId = (id) => document.getElementById(id);
const narrow = window.matchMedia("(max-width: 760px)");

class Page {
  constructor() {
    this.route = { user: null, place: null, thread: null };
    this.people = [];
    this.conversations = [];
    this.commands = [];
    this.app = { name: "App", bot_user: null };
    this.messages = [];
    this.newest = null;
    this.directory = {
      userName: (id) => this.people.find((person) => person.id === id)?.name ?? (id === this.app.bot_user ? this.app.name : null),
      channelName: (id) => this.conversations.find((one) => one.id === id)?.name ?? null,
      people: () => this.people,
      channels: () => this.conversations.filter((one) => one.kind === "channel"),
    };
    this.sidebar = new Sidebar({ onJoined: (person) => this.#joined(person) });
    this.list = new MessageList(byId("scroller"), byId("messages"), {
      directory: this.directory,
      openThread: (ts) => this.go({ thread: ts }),
      onSeen: () => this.#seen(),
    });
    this.thread = new MessageList(byId("thread-scroller"), byId("thread-messages"), { directory: this.directory });
    this.composer = new Composer({ label: "Message", page: this });
    this.threadComposer = new Composer({ label: "Reply", page: this, threadTs: () => this.route.thread });
    byId("composer").append(this.composer.element);
    byId("thread-composer").append(this.threadComposer.element);
    this.home = new Home(byId("home"), this);
    this.modals = new ModalStack({ directory: this.directory, onChanged: () => this.fetchViews() });
    this.traffic = new TrafficDrawer(byId("traffic"), byId("traffic-toggle"));
    this.#prepareFetching();
    this.#listen();
  }

  get channel() {
    return this.route.place === "home" ? null : this.route.place;
  }

  #prepareFetching() {
    const guarded = (work) =>
      coalesced(async () => {
        const { seat } = this;
        if (!seat) return;
        const asOf = performance.now();
        try {
          await work(seat, asOf, () => seat === this.seat);
        } catch (error) {
          if (!error.lost && seat === this.seat) notify(error.message);
        }
      });
    this.fetchConversations = guarded(async (seat, _asOf, isCurrent) => {
      const answer = await seat.conversations();
      if (!isCurrent()) return;
      Object.assign(this, { conversations: answer.conversations, commands: answer.commands, app: answer.app });
      if (!this.route.place && this.conversations.length) this.#openFirst();
      this.#drawFrame();
    });
    this.fetchMessages = guarded(async (seat, asOf, isCurrent) => {
      const { channel } = this;
      if (!channel) return;
      const messages = await seat.messages(channel);
      this.list.asOf = this.thread.asOf = asOf;
      if (isCurrent() && channel === this.channel) this.#showMessages(messages);
    });
    this.fetchHome = guarded(async (seat, asOf, isCurrent) => {
      if (this.route.place !== "home") return;
      const view = await seat.home();
      if (isCurrent() && this.route.place === "home") this.home.show(view, asOf);
    });
    this.fetchViews = guarded(async (seat, asOf, isCurrent) => {
      const views = await seat.views();
      if (isCurrent()) this.modals.update(views, asOf);
    });
    this.fetchPeople = guarded(async () => {
      this.people = await everybody();
      this.#drawFrame();
    });
  }

  #listen() {
    window.addEventListener("hashchange", () => this.#follow());
    document.addEventListener("visibilitychange", () => this.#seen());
    byId("skip").addEventListener("click", () => (this.channel ? byId("scroller") : byId("home")).focus());
    byId("thread-close").addEventListener("click", () => this.go({ thread: null }));
    byId("thread-pane").addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented) this.go({ thread: null });
    });
    byId("menu-toggle").addEventListener("click", () => this.#openSidebar(byId("sidebar").inert));
    byId("traffic-toggle").addEventListener("click", () => this.#openSidebar(false));
    byId("shade").addEventListener("click", () => this.#openSidebar(false));
    byId("sidebar").addEventListener("keydown", (event) => {
      const inMenu = byId("people").matches(":popover-open"); // which Escape closes first
      if (event.key === "Escape" && narrow.matches && !inMenu) this.#openSidebar(false);
    });
    byId("to-end").addEventListener("click", () => this.list.toEnd());
    narrow.addEventListener("change", () => this.#openSidebar(false));
    this.#openSidebar(false);
  }

  /** On a narrow window the left column lies over the conversation, and is out of reach while it is away. */
  #openSidebar(open) {
    const wasOpen = document.body.classList.toggle("sidebar-open", open && narrow.matches);
    byId("sidebar").inert = narrow.matches && !open;
    byId("menu-toggle").setAttribute("aria-expanded", String(open && narrow.matches));
    if (wasOpen) byId("who").focus();
  }

  async start() {
    try {
      this.people = await everybody();
      this.#lost(false);
    } catch (error) {
      this.#lost(true, error);
      setTimeout(() => this.start(), 1500);
      return;
    }
    this.#follow();
  }

  /** Changes the part of the address that is given. */
  go(change) {
    location.hash = addressOf({ ...this.route, ...change });
  }

  /** Shows what the address names. */
  #follow() {
    const before = this.route;
    const wanted = currentRoute();
    if (!this.#canLookAs(wanted.user)) {
      this.feed?.stop();
      this.#lost(false);
      if (wanted.user) notify(`Nobody who can use this workspace has the id ${wanted.user}.`);
      const first = this.people.find((person) => person.present);
      if (first) location.replace(addressOf({ user: first.id }));
      else byId("title").textContent = "Nobody is here yet: join as a new person.";
      return;
    }
    this.route = wanted;
    if (before.user !== wanted.user) this.#sit(wanted.user);
    else if (!wanted.place) this.#openFirst();
    if (before.user !== wanted.user || before.place !== wanted.place) this.#enter();
    if (before.place !== wanted.place || before.thread !== wanted.thread) this.#enterThread(before.thread);
    this.#openSidebar(false);
    this.#drawFrame();
  }

  /** The person's first conversation with the app, without a step in the history. */
  #openFirst() {
    const first = this.conversations.find((one) => one.kind === "dm") ?? this.conversations[0];
    if (first) location.replace(addressOf({ user: this.route.user, place: first.id }));
  }

  /** Another person looks from now on. */
  #sit(user) {
    this.feed?.stop();
    this.seat = new Seat(user);
    this.conversations = [];
    fill(byId("notices"));
    this.modals.reset(this.seat);
    this.home.reset();
    this.feed = new ChangeFeed(this.seat, {
      onChanges: (changes) => this.#changed(changes),
      onResume: () => this.#fetchAll(),
      onLost: (error) => this.#failed(error),
      onFound: () => this.#lost(false),
    });
    this.feed.run();
  }

  /** Another conversation, or the Home tab. */
  #enter() {
    const { seat, channel } = this;
    const atHome = this.route.place === "home";
    this.messages = [];
    this.newest = null;
    byId("home").hidden = !atHome;
    byId("conversation").hidden = atHome;
    if (channel) {
      this.list.reset(seat, channel);
      this.composer.moveTo(`${seat.user}/${channel}`, "Message");
      this.fetchMessages();
      if (channel.startsWith("D")) {
        seat.appOpened("messages").catch((error) => notify(error.message));
      }
      if (!narrow.matches && !document.querySelector("dialog[open]")) this.composer.field.focus({ preventScroll: true });
    }
    if (atHome) {
      seat.appOpened("home").catch((error) => notify(error.message));
      this.fetchHome();
    }
  }

  #enterThread(before) {
    const { thread, place } = this.route;
    byId("thread-pane").hidden = !thread;
    document.body.classList.toggle("thread-open", Boolean(thread));
    this.thread.reset(this.seat, place);
    if (thread) {
      this.threadComposer.moveTo(`${this.seat.user}/${place}/${thread}`, "Reply");
      this.threadComposer.field.focus({ preventScroll: true });
    } else if (before) {
      (document.querySelector(`[data-key="replies/${CSS.escape(before)}"]`) ?? this.composer.field).focus({ preventScroll: true });
    }
    if (this.messages.length) this.#drawMessages();
  }

  #fetchAll() {
    this.fetchPeople();
    this.fetchConversations();
    this.fetchMessages();
    this.fetchHome();
    this.fetchViews();
  }

  #changed(changes) {
    const kinds = new Set(changes.map((change) => change.type));
    // So many kinds at once mean that the workspace no longer knows what this page has missed.
    if (kinds.size >= 4) {
      this.#fetchAll();
      return;
    }
    if (kinds.has("people")) this.fetchPeople();
    if (kinds.has("views")) this.fetchViews();
    if (kinds.has("home")) this.fetchHome();
    if (kinds.has("message")) {
      if (changes.some((change) => change.type === "message" && (!change.channel || change.channel === this.channel))) this.fetchMessages();
    }
    if (kinds.has("message") || kinds.has("conversations")) this.fetchConversations();
  }

  #showMessages(messages) {
    this.#announce(messages);
    this.messages = messages;
    this.#drawMessages();
    this.#seen();
  }

  #drawMessages() {
    const { thread } = this.route;
    const roots = new Map(this.messages.filter((message) => !isReply(message)).map((message) => [message.ts, message]));
    this.list.show(this.messages.filter(inConversation), { currentThread: thread, rootOf: (message) => roots.get(message.thread_ts) });
    if (thread) {
      this.thread.show(this.messages.filter((message) => message.ts === thread || message.thread_ts === thread), { inThread: true });
    }
    byId("to-end").hidden = this.list.atEnd;
  }

  /** Reads new messages of others to those who cannot see them; a live plot's frames are not new messages. */
  #announce(messages) {
    const newest = messages.reduce((latest, message) => (Number(message.ts) > Number(latest) ? message.ts : latest), "0");
    if (this.newest !== null) {
      const fresh = messages.filter((message) => Number(message.ts) > Number(this.newest) && message.user !== this.seat.user);
      const words = fresh.map((message) => {
        const where = inConversation(message) ? "" : " in a thread";
        return `${message.name}${where}: ${plainLine(message.text, this.directory)}`;
      });
      if (words.length) byId("announcer").textContent = words.join(" ");
      if (fresh.some(inConversation) && !this.list.atEnd) byId("to-end").hidden = false;
    }
    this.newest = newest;
  }

  /** Marks the open conversation as read while somebody looks at its end. */
  #seen() {
    byId("to-end").hidden ||= this.list.atEnd;
    const open = this.conversations.find((one) => one.id === this.channel);
    if (document.hidden || !open || !open.unread || !this.list.atEnd) return;
    open.unread = 0;
    this.seat.read(open.id).catch(() => this.fetchConversations());
  }

  /** The left column, the title and the heading. */
  #drawFrame() {
    const { user, place } = this.route;
    if (!user) return;
    this.sidebar.showPeople(this.people, user);
    this.sidebar.showConversations(user, this.conversations, this.app, place);
    const open = this.conversations.find((one) => one.id === place);
    const name = place === "home" ? `${this.app.name} · Home` : open ? `${open.kind === "channel" ? "# " : ""}${open.name}` : "";
    fill(byId("title"), name);
    if (open) this.composer.moveTo(`${user}/${place}`, open.kind === "channel" ? `Message #${open.name}` : `Message ${open.name}`);
    const unread = this.conversations.reduce((sum, one) => sum + (one.id === place && !document.hidden ? 0 : one.unread), 0);
    document.title = `${unread ? `(${unread}) ` : ""}${name || "Local workspace"} – ${this.directory.userName(user) ?? user}`;
    this.#seen();
  }

  async #joined(person) {
    this.people = await everybody().catch(() => this.people);
    const user = person.id ?? this.people.find((one) => one.name === person.name)?.id;
    if (user) location.hash = addressOf({ user });
  }

  /** The change feed failed: nobody answers, or the person is gone because the workspace was started anew. */
  async #failed(error) {
    this.#lost(true, error);
    if (error.lost) return;
    this.people = await everybody().catch(() => this.people);
    if (!this.#canLookAs(this.route.user)) this.#follow();
  }

  /** Whether this is somebody who can use the workspace: no bot, nobody whose account is deactivated. */
  #canLookAs(user) {
    return this.people.some((person) => person.id === user && person.present);
  }

  #lost(isLost, error) {
    const banner = byId("banner");
    if (isLost && banner.hidden) {
      const reason = error.lost ? "The local workspace does not answer" : error.message;
      fill(banner, `${reason} – trying again. Drafts are kept.`);
    }
    banner.hidden = !isLost;
  }
}

new Page().start();
