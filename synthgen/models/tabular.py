"""The synthesizer of tables: schema, encoding, training, refinement and sampling together."""

from __future__ import annotations

import hashlib
import logging
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from synthgen.core.clock import Clock
from synthgen.core.device import resolve_device, supports_bfloat16
from synthgen.core.documents import plain_json
from synthgen.core.params import check_choice, check_integer, check_real
from synthgen.core.progress import ProgressBar
from synthgen.core.random import generator, isolated_torch_rng, torch_generator
from synthgen.data.schema import Schema
from synthgen.dp.budget import DPMarginals
from synthgen.dp.ledger import Ledger
from synthgen.dp.sgd_budget import DPSGD
from synthgen.encode.calibrate import Calibration
from synthgen.encode.layout import EncodedTable, Layout
from synthgen.encode.table import TableEncoder
from synthgen.encode.wanted import Wanted, in_words
from synthgen.errors import InvalidDataError, InvalidParameterError, TrainingWarning
from synthgen.models.encoded import EncodedSynthesizer, fit_encoder
from synthgen.models.memory import check_memory
from synthgen.models.monitor import QualityMonitor
from synthgen.models.presets import resolve_recipe
from synthgen.models.private_table import PrivateTables
from synthgen.models.refusals import check_refusals
from synthgen.models.row_critic import RowCritic
from synthgen.models.table_refinement import NO_REFINEMENT, looked_up, refine_table
from synthgen.models.table_saved import SavedTables
from synthgen.nn.tabular import TabularGenerator
from synthgen.sample.conditional import check_pool, weigh_latents
from synthgen.sample.draw import RowSource
from synthgen.sample.rowwise import RowwiseSampler
from synthgen.sample.sampler import BLOCK, Request, Sampler
from synthgen.train.checkpoint import Checkpoint
from synthgen.train.conditioning import Conditioning
from synthgen.train.detection import features_of
from synthgen.train.recipe import Recipe
from synthgen.train.table import TableTask
from synthgen.train.trainer import Budget, Trainer

logger = logging.getLogger(__name__)

#: A validation split is kept back from this many rows on, and has at most so many rows.
_LEAST_TO_SPLIT = 500
_MOST_VALIDATION = 4_000


#: Training may take this share of the time, preparation of the table included, where a refinement
#: follows, and at least so much however long the preparation took.
_TRAINING_SHARE = 0.75
_LEAST_SHARE = 0.25
#: The refinement leaves out what would not be done when this share is over.
_LATE_SHARE = 0.92


class GANSynthesizer(SavedTables, PrivateTables, EncodedSynthesizer):
    """Learns a table and generates as many new rows as you like.

    The generator maps a latent vector to one explicit distribution per column, so that conditions,
    gaps and likelihoods come with the model. It is trained by matching all pairwise moments and by
    a relativistic critic, and refined by resampling; see the user guide.

    Parameters
    ----------
    schema : Schema, optional
        What the columns mean; inferred by default.
    preset : str or Recipe, default="auto"
        A name of :func:`~synthgen.models.presets.list_presets`, or a recipe of your own.
    max_minutes : float, default=5
        Most minutes that a fit takes, more or less: training ends after three quarters of them, to
        leave time for the refinement, which passes over columns when they are nearly over. Results
        repeat exactly only if steps end training, not the clock, and no column is passed over.
    max_steps : int or "auto", default="auto"
        Most training steps; by default what the recipe says for the size of the table.
    batch_size : int or "auto", default="auto"
        Rows per step.
    refine : bool, "auto" or "weights", default="auto"
        Correct generated rows column by column, and resample them by a boosted-tree critic, if
        held-out rows say that it helps; True insists on trying a critic however few rows there
        are. "weights" leaves the corrections out, which samples several times faster.
    calibrate : bool, default=False
        Correct the marginal distribution of continuous columns exactly. It does not keep exact
        sums among columns.
    validation_fraction : float or "auto", default="auto"
        Share of rows in [0, .5] kept out of training to choose the best state and to judge the
        refinement. By default a tenth (4,000 rows at most), and none below 500 rows.
    device : str, default="auto"
        Where to train: "cpu", "cuda", "mps", ... By default the fastest there is.
    random_state : None, int, numpy RandomState or Generator
        An integer makes ``fit`` repeatable.
    verbose : int, default=0
        1 shows progress on the terminal.
    privacy : DPMarginals or DPSGD, optional
        Train with differential privacy; see :class:`~synthgen.privacy.DPMarginals`,
        :class:`~synthgen.privacy.DPSGD` and the user guide. Needs a public schema. ``DPMarginals``
        trains on noisy tables of pairs of columns alone, ``DPSGD`` a critic by noisy gradients.
    warm_start : bool, default=False
        Start from the weights of the previous ``fit`` on a table of the same schema.
    checkpoint_dir : str, optional
        Folder to keep the state of training in; ``fit`` with the same data and parameters
        continues from it exactly.

    Attributes
    ----------
    recipe_ : Recipe
        What was trained.
    history_ : pandas.DataFrame
        One row per check: step, seconds, shape, trend, and the AUC of boosted trees that tell
        generated rows from validation rows (.5 is best).
    refinement_ : dict
        What the refinement found and whether it is used; "corrections" lists the columns that are
        corrected, with the gain in nats a row on unseen rows, and "no_time_for" those that were
        passed over, if any.
    n_steps_ : int
        Steps done.
    best_step_ : int
        Step of the state that was kept.
    stopped_by_ : str
        "steps", "time", "patience" or "interrupt".
    device_ : torch.device
        Where the model is.
    critic_ : RowCritic or None
        The critic as it was at the end, of a model fitted here by a recipe that judges single rows
        without conditions, and without privacy. It is not saved: it has looked at real rows.
    epsilon_, delta_ : float
        With privacy: the guarantee that was spent, from the ledger.
    ledger_ : Ledger
        With privacy: every release, its noise, and what the guarantee assumes.
    is_private_ : bool
        Whether a guarantee holds.
    schema_ : Schema
    n_features_in_ : int
    feature_names_in_ : numpy.ndarray of str

    References
    ----------
    Huang et al., "The GAN is dead; long live the GAN! A Modern Baseline GAN", NeurIPS 2024,
    arXiv:2501.05441. Azadi et al., "Discriminator Rejection Sampling", ICLR 2019, arXiv:1810.06758.

    Examples
    --------
    >>> import pandas as pd
    >>> from synthgen import GANSynthesizer
    >>> df = pd.DataFrame({"size": ["S", "M", "L", "M"] * 50, "price": [1.5, 2.5, 3.0, 2.0] * 50})
    >>> synth = GANSynthesizer(max_steps=20, random_state=0).fit(df)
    >>> synth.sample(3, random_state=1).shape
    (3, 2)
    """

    sampler_: Sampler
    recipe_: Recipe
    history_: pd.DataFrame
    refinement_: dict[str, Any]
    n_steps_: int
    best_step_: int
    stopped_by_: str
    device_: torch.device
    ledger_: Ledger
    critic_: RowCritic | None

    def __init__(
        self,
        *,
        schema: Schema | None = None,
        preset: str | Recipe = "auto",
        max_minutes: float = 5.0,
        max_steps: int | str = "auto",
        batch_size: int | str = "auto",
        refine: bool | str = "auto",
        calibrate: bool = False,
        validation_fraction: float | str = "auto",
        device: str = "auto",
        random_state: Any = None,
        verbose: int = 0,
        privacy: DPMarginals | DPSGD | None = None,
        warm_start: bool = False,
        checkpoint_dir: str | None = None,
    ) -> None:
        self.schema = schema
        self.preset = preset
        self.max_minutes = max_minutes
        self.max_steps = max_steps
        self.batch_size = batch_size
        self.refine = refine
        self.calibrate = calibrate
        self.validation_fraction = validation_fraction
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self.privacy = privacy
        self.warm_start = warm_start
        self.checkpoint_dir = checkpoint_dir

    def _check_parameters(self) -> None:
        check_real("max_minutes", self.max_minutes, low=0.0, closed="neither")
        check_integer("max_steps", self.max_steps, minimum=1, words=["auto"])
        check_integer("batch_size", self.batch_size, minimum=1, words=["auto"])
        check_choice("refine", self.refine, [True, False, "auto", "weights"])
        check_choice("calibrate", self.calibrate, [True, False])
        check_choice("warm_start", self.warm_start, [True, False])
        if not isinstance(self.verbose, bool):
            check_integer("verbose", self.verbose, minimum=0)
        if self.validation_fraction != "auto":
            check_real("validation_fraction", self.validation_fraction, low=0.0, high=0.5)
        if self.checkpoint_dir is not None and not isinstance(self.checkpoint_dir, (str, Path)):
            raise InvalidParameterError(
                f"checkpoint_dir must be a path or None, got {self.checkpoint_dir!r}."
            )
        if self.privacy is not None:
            check_refusals(self)

    def _learn(self, frame: pd.DataFrame, schema: Schema, target: Any, seed: int) -> Schema | None:
        clock = Clock(60.0 * self.max_minutes)
        self.critic_ = None
        if self.privacy is not None:
            return self._learn_privately(frame, schema, self.privacy, seed)
        if hasattr(self, "ledger_"):
            del self.ledger_
        device = resolve_device(self.device)
        encoder = fit_encoder(frame, schema)
        layout = encoder.layout
        recipe = self._recipe(len(frame), layout.n_cells)
        check_memory(layout, len(frame), recipe)
        table = encoder.transform(frame, generator(seed, "encode"))
        train, validation = self._split(table, seed)
        if len(frame) < _LEAST_TO_SPLIT:
            logger.warning(
                "%d rows are few: generated rows will resemble single rows of the table more than "
                "they should. With fewer than %d, GaussianCopula gives less of them away, or "
                "privacy=...; see 'Few rows' in the user guide.",
                len(frame),
                _LEAST_TO_SPLIT,
            )
        blocks = _condition_blocks(encoder, recipe, target)
        with isolated_torch_rng(seed, "weights"):
            task = TableTask(
                layout,
                train,
                recipe,
                condition_blocks=blocks,
                device=device,
                low_precision=supports_bfloat16(device),
            )
        if self.warm_start and hasattr(self, "sampler_"):
            _copy_weights(self.sampler_, task, layout)
        conditioning = Conditioning(layout, blocks) if blocks else None
        # Validation rows first: there are few of them, so training rows make up the number.
        judged = EncodedTable.concatenate([validation, train])
        hidden = features_of(layout, looked_up(encoder))
        monitor = QualityMonitor(layout, judged, conditioning, seed, hidden)
        checkpoint = self._checkpoint(recipe, seed, table)
        network = self._train(task, recipe, monitor, checkpoint, clock, seed)
        self.critic_ = RowCritic.of(encoder, task)
        source = RowSource(network, conditioning)
        refinement = NO_REFINEMENT
        if self.refine is not False:
            refinement = refine_table(
                encoder,
                train,
                validation,
                source,
                target,
                seed,
                correct=self.refine != "weights",
                insist=self.refine is True,
                is_late=lambda seconds: clock.left(_LATE_SHARE) <= seconds,
            )
        self.refinement_ = refinement.facts
        corrections, refiner = refinement.corrections, refinement.refiner
        self.sampler_ = Sampler(encoder, source, refiner, None, corrections)
        if self.calibrate:
            generated = self.sampler_.encoded(min(max(len(train), BLOCK), 200_000), seed, (0, 1))
            calibration = Calibration.fit(layout, train, generated)
            self.sampler_ = Sampler(encoder, source, refiner, calibration, corrections)
        self.recipe_, self.device_ = recipe, device
        return None

    def _train(
        self,
        task: TableTask,
        recipe: Recipe,
        monitor: QualityMonitor,
        checkpoint: Checkpoint | None,
        clock: Clock,
        seed: int,
    ) -> TabularGenerator:
        share = 1.0 if self.refine is False else _TRAINING_SHARE
        seconds = max(clock.left(share), _LEAST_SHARE * clock.seconds)
        budget = Budget(steps=recipe.steps, seconds=seconds)
        with ProgressBar("fit", enabled=bool(self.verbose)) as bar:
            trainer = Trainer(
                task,
                recipe,
                budget,
                seed=seed,
                monitor=monitor,
                listener=bar.update,
                checkpoint=checkpoint,
            )
            result = trainer.run()
        self.history_ = result.history.to_frame()
        self.n_steps_, self.best_step_ = result.steps, result.best_step
        self.stopped_by_ = result.stopped_by
        if result.stopped_by == "interrupt":
            warnings.warn(
                f"Training was interrupted after {result.steps} steps; the best state so far is "
                "kept.",
                TrainingWarning,
                stacklevel=5,
            )
        network: TabularGenerator = result.generator
        return network

    def _recipe(self, n_rows: int, n_cells: int) -> Recipe:
        recipe = resolve_recipe(self.preset, n_rows, n_cells)
        if self.max_steps != "auto":
            recipe = recipe.replace(steps=int(self.max_steps))
        if self.batch_size != "auto":
            recipe = recipe.replace(batch_size=int(self.batch_size))
        return recipe.check()

    def _split(self, table: EncodedTable, seed: int) -> tuple[EncodedTable, EncodedTable]:
        """Return training rows, in random order, and validation rows."""
        n = len(table)
        if self.validation_fraction == "auto":
            count = min(n // 10, _MOST_VALIDATION) if n >= _LEAST_TO_SPLIT else 0
        else:
            count = min(int(n * float(self.validation_fraction)), n - 1)
        order = generator(seed, "split").permutation(n)
        return table.take(order[count:]), table.take(order[:count])

    def _checkpoint(self, recipe: Recipe, seed: int, table: EncodedTable) -> Checkpoint | None:
        if self.checkpoint_dir is None:
            return None
        digest = hashlib.sha256(table.codes.tobytes() + table.values.tobytes()).hexdigest()
        fingerprint = {"recipe": recipe.to_json(), "seed": seed, "data": digest}
        fingerprint["validation_fraction"] = self.validation_fraction
        return Checkpoint(Path(self.checkpoint_dir), plain_json(fingerprint))

    def _request(self, wanted: dict[Any, Wanted], seed: int, on_rare: str) -> Request:
        encoder = self.sampler_.encoder
        condition = encoder.condition(wanted)
        rng = torch_generator(seed, "conditions")
        pool = weigh_latents(self.sampler_.source, condition, rng)
        return Request(wanted, condition, check_pool(pool, in_words(wanted), on_rare))

    def _rowwise(self) -> RowwiseSampler:
        # Kept as long as what was fitted: it may have to train a network at its first use.
        kept: RowwiseSampler | None = getattr(self, "_kept_rowwise", None)
        if kept is None or kept.sampler is not self.sampler_:
            kept = self._kept_rowwise = RowwiseSampler(self.sampler_)
        return kept


def _condition_blocks(encoder: TableEncoder, recipe: Recipe, target: Any) -> list[int]:
    """Return the blocks that a conditional recipe may condition on.

    A label recipe takes the target, or else the last column that is a category.
    """
    if recipe.conditioning == "none":
        return []
    kinds = ("categorical", "boolean", "ordinal", "integer")
    blocks: dict[Any, list[int]] = {}
    for column in encoder.schema.columns:
        owned, heads = encoder.columns_of(column.name)
        if column.kind in kinds and heads.stop == heads.start and owned.stop > owned.start:
            blocks[column.name] = list(range(owned.start, owned.stop))
    if not blocks:
        raise InvalidDataError(
            f"The preset {recipe.name!r} trains with conditions on categories, and the table has "
            "none. Choose another preset."
        )
    if recipe.conditioning == "sampling":
        return sorted({block for owned in blocks.values() for block in owned})
    return blocks.get(target, list(blocks.values())[-1])


def _copy_weights(previous: Sampler, task: TableTask, layout: Layout) -> None:
    """Start from the weights of a previous fit, which must have the same layout."""
    old = previous.source.generator.state_dict()
    new = task.generator.state_dict()
    if any(name not in old or old[name].shape != new[name].shape for name in new):
        raise InvalidDataError(
            f"warm_start needs a table that is encoded like the previous one; this one has "
            f"{layout.n_cells} cells and another layout. Set warm_start=False."
        )
    task.generator.load_state_dict(old)
