// The page works without this: it adds a box that finds columns, and opens a definition on a jump.
(function () {
  var box = document.getElementById("filter");
  var panels = Array.prototype.slice.call(document.querySelectorAll("[data-column]"));
  if (box && panels.length > 8) {
    box.parentElement.hidden = false;
    box.addEventListener("input", function () {
      var wanted = box.value.trim().toLowerCase();
      var found = 0;
      panels.forEach(function (panel) {
        var hit = panel.dataset.column.toLowerCase().indexOf(wanted) >= 0;
        panel.hidden = !hit;
        found += hit ? 1 : 0;
      });
      document.getElementById("filter-count").textContent =
        wanted ? found + " of " + panels.length + " columns" : "";
    });
  }
  function reveal() {
    var target = document.getElementById(window.location.hash.slice(1));
    if (target && target.tagName === "DETAILS") target.open = true;
  }
  window.addEventListener("hashchange", reveal);
  reveal();
})();
