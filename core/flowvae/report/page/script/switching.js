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

  function stop() {
    if (!playing) return;
    const before = playing;
    playing = null;
    before.sources.forEach((source) => { source.onended = null; source.stop(); });
    before.gains.forEach((gain) => gain.disconnect());
    moved(null, 0);
  }

  function start(index) {
    const began = context.currentTime + 0.01;
    const gains = buffers.map((_, i) => new GainNode(context, { gain: i === index ? 1 : 0 }));
    const sources = buffers.map((buffer, i) => {
      const source = new AudioBufferSourceNode(context, { buffer, loop: repeats });
      source.connect(gains[i]).connect(context.destination);
      source.start(began);
      return source;
    });
    playing = { sources, gains, began, shown: index };
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

  function tell() {
    if (!playing) return;
    const duration = buffers[0].duration;
    const at = Math.max(0, context.currentTime - playing.began);
    moved(playing.shown, (repeats ? at % duration : Math.min(at, duration)) / duration);
    requestAnimationFrame(tell);
  }

  return {
    load(question) {
      stop();
      buffers = question.sounds.map((text) => bufferOf(text, question.rate, question.channels));
    },
    play(index) {
      if (context === null) context = new AudioContext();  // not before: browsers wait for somebody who asks for a sound
      context.resume();
      const isAnother = playing !== null && playing.shown !== index;
      if (isAnother) {
        goOver(index);
      } else {
        stop();
        start(index);
      }
      moved(index, null);
    },
    stop,
    repeat(wanted) {
      repeats = wanted;
      if (playing) playing.sources.forEach((source) => { source.loop = wanted; });
    },
  };
}
