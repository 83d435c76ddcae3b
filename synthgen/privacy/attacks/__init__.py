"""Attacks: what somebody with the synthetic rows, or the model, could find out about real ones.

Every attack sees an :class:`Arena` (synthetic rows, reference rows, rows to judge) and returns a
score per row; it never sees who is a member. :func:`judge` turns scores into an
:class:`AttackResult`: variant and thresholds are chosen on one half of the rows and reported on the
other.
"""

from synthgen.privacy.attacks.anonymeter import anonymeter_attacks
from synthgen.privacy.attacks.arena import Arena
from synthgen.privacy.attacks.attribute import Attribute
from synthgen.privacy.attacks.calibrated import Calibrated
from synthgen.privacy.attacks.classifier import Classifier
from synthgen.privacy.attacks.copies import Copies
from synthgen.privacy.attacks.domias import Domias
from synthgen.privacy.attacks.images_logan import image_logan_black_box, image_logan_white_box
from synthgen.privacy.attacks.images_nearest import image_nearest
from synthgen.privacy.attacks.images_space import ImageArena, arena_of_images
from synthgen.privacy.attacks.judge import Population, judge
from synthgen.privacy.attacks.likelihood_ratio import LikelihoodRatio
from synthgen.privacy.attacks.membership import ATTACKS, Attack, prepare, run_attack
from synthgen.privacy.attacks.monte_carlo import MonteCarlo
from synthgen.privacy.attacks.nearest import Nearest
from synthgen.privacy.attacks.neighbourhood import Neighbourhood
from synthgen.privacy.attacks.reconstruction import Reconstruction
from synthgen.privacy.attacks.result import AttackResult, Rate
from synthgen.privacy.attacks.shadow import shadow_attack
from synthgen.privacy.attacks.splits import Splits, split
from synthgen.privacy.attacks.white_box import Critic, Likelihood

__all__ = [
    "ATTACKS",
    "Arena",
    "Attack",
    "AttackResult",
    "Attribute",
    "Calibrated",
    "Classifier",
    "Copies",
    "Critic",
    "Domias",
    "ImageArena",
    "Likelihood",
    "LikelihoodRatio",
    "MonteCarlo",
    "Nearest",
    "Neighbourhood",
    "Population",
    "Rate",
    "Reconstruction",
    "Splits",
    "anonymeter_attacks",
    "arena_of_images",
    "image_logan_black_box",
    "image_logan_white_box",
    "image_nearest",
    "judge",
    "prepare",
    "run_attack",
    "shadow_attack",
    "split",
]
