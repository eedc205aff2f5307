// Runs in the browser's audio thread: a microphone's samples, turned into pieces of 250 ms of mono 48 kHz s16.
const RATE = 48000;
const PIECE = RATE / 4;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.step = sampleRate / RATE;
    this.piece = new Int16Array(PIECE);
    this.filled = 0;
    this.peak = 0;
    this.sum = 0;
    // Where the next sample lies, counted from the first one of the present block; the one before it is kept.
    this.at = 0;
    this.before = 0;
  }

  process(inputs) {
    const block = inputs[0]?.[0];
    if (!block) return true;
    while (this.at < block.length) {
      const whole = Math.floor(this.at);
      const earlier = whole > 0 ? block[whole - 1] : this.before;
      const part = this.at - whole;
      this.add(part ? earlier + (block[whole] - earlier) * part : block[whole]);
      this.at += this.step;
    }
    this.at -= block.length;
    this.before = block[block.length - 1];
    return true;
  }

  add(value) {
    const loud = Math.abs(value);
    if (loud > this.peak) this.peak = loud;
    this.sum += value * value;
    this.piece[this.filled] = Math.max(-32768, Math.min(32767, Math.round(value * 32767)));
    this.filled += 1;
    if (this.filled < PIECE) return;
    const pcm = this.piece.buffer;
    this.port.postMessage({ pcm, peak: this.peak, rms: Math.sqrt(this.sum / PIECE) }, [pcm]);
    this.piece = new Int16Array(PIECE);
    this.filled = 0;
    this.peak = 0;
    this.sum = 0;
  }
}

registerProcessor("capture", Capture);
