// The sounds of a question run side by side, and all but one are mute: going over to another keeps the position to the
// sample and leaves no gap. Nothing here knows which sound is which.
function mixed(x) {
  "use strict";
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

// Text to samples of 16 bits: word 0 begins the mask that lies on all others.
function samplesOf(text) {
  "use strict";
  const words = new Uint32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
  for (let i = 1; i < words.length; i += 1) words[i] ^= mixed(words[0] + Math.imul(i, 0x9e3779b9));
  return new Int16Array(words.buffer, 4);
}

function switching(moved) {
  "use strict";
  const FADE_S = 0.005;  // a jump between two sounds would click
  let context = null;
  let buffers = [];
  let playing = null;  // { sources, gains, began, shown }
  let repeats = false;

  function bufferOf(text, rate, channels) {
    const samples = samplesOf(text);
    const frames = samples.length / channels;
    const buffer = new AudioBuffer({ numberOfChannels: channels, length: frames, sampleRate: rate });
    for (let channel = 0; channel < channels; channel += 1) {
      const data = buffer.getChannelData(channel);
      for (let i = 0; i < frames; i += 1) data[i] = samples[i * channels + channel] / 32768;
    }
    return buffer;
  }

  function opened() {
    if (context === null) context = new AudioContext();  // not before: browsers wait for somebody who asks for a sound
    context.resume();
    return context;
  }

  function use(made) {
    stop();
    buffers = made;
  }

  function stop() {
    if (!playing) return;
    const before = playing;
    playing = null;
    before.sources.forEach((source) => { source.onended = null; source.stop(); });
    before.gains.forEach((gain) => gain.disconnect());
    moved(null, 0);
  }

  function start(index, from) {
    const now = context.currentTime + 0.01;
    const gains = buffers.map((_, i) => new GainNode(context, { gain: i === index ? 1 : 0 }));
    const sources = buffers.map((buffer, i) => {
      const source = new AudioBufferSourceNode(context, { buffer, loop: repeats });
      source.connect(gains[i]).connect(context.destination);
      source.start(now, from);
      return source;
    });
    playing = { sources, gains, began: now - from, shown: index };
    sources[0].onended = stop;
    requestAnimationFrame(tell);
  }

  function goOver(index) {
    const now = context.currentTime;
    playing.gains.forEach((gain, i) => {
      gain.gain.cancelScheduledValues(now);
      gain.gain.setValueAtTime(gain.gain.value, now);
      gain.gain.linearRampToValueAtTime(i === index ? 1 : 0, now + FADE_S);
    });
    playing.shown = index;
  }

  // Seconds from the beginning of the sounds, 0 where nothing plays.
  function position() {
    if (!playing) return 0;
    const at = Math.max(0, context.currentTime - playing.began);
    return repeats ? at % buffers[0].duration : Math.min(at, buffers[0].duration);
  }

  function tell() {
    if (!playing) return;
    moved(playing.shown, position() / buffers[0].duration);
    requestAnimationFrame(tell);
  }

  return {
    load(question) {
      use(question.sounds.map((text) => bufferOf(text, question.rate, question.channels)));
    },
    use,
    opened,
    position,
    play(index, from = 0) {
      opened();
      const isAnother = playing !== null && playing.shown !== index;
      if (isAnother) {
        goOver(index);
      } else {
        stop();
        start(index, from);
      }
      moved(index, position() / buffers[0].duration);  // not at the next frame only: the mark would jump
    },
    stop,
    repeat(wanted) {
      if (playing) playing.began = context.currentTime - position();  // rounds that are over count no more
      repeats = wanted;
      if (playing) playing.sources.forEach((source) => { source.loop = wanted; });
    },
  };
}
