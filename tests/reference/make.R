# Writes what R computes of observations.csv to r.csv: the weighted fit on side and block in which each environment
# weighs the same, with CR2, CR3 and Satterthwaite's degrees of freedom by clubSandwich, and Holm's adjustment.
#
# Each environment has one value in a block here, the mean of its calls: where weights differ within a cluster there is
# more than one square root to take for CR2, and clubSandwich takes another than this project.

suppressPackageStartupMessages({
  library(clubSandwich)
  library(sandwich)
  library(survey)
})

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))
rows <- read.csv(file.path(here, "observations.csv"))
rows$cluster <- paste(rows$side, rows$environment)
rows <- aggregate(value ~ cluster + side + environment + block, rows, mean)
rows$cell <- 0

fitted <- function(rows) {
  rows$group <- paste(rows$cell, rows$block)
  paired <- intersect(rows$group[rows$side == "baseline"], rows$group[rows$side == "candidate"])
  rows <- rows[rows$group %in% paired, ]
  values <- table(rows$cluster)
  rows$share <- 1 / as.numeric(values[rows$cluster])
  list(rows = rows, fit = lm(value ~ group + side, data = rows, weights = share))
}

estimate <- function(rows, type) {
  of <- fitted(rows)
  rows <- of$rows
  fit <- of$fit
  robust <- vcovCR(fit, cluster = rows$cluster, type = type, inverse_var = TRUE)
  test <- coef_test(fit, vcov = robust, test = "Satterthwaite", coefs = "sidecandidate")
  df <- if (is.null(test$df)) test$df_Satt else test$df
  c(estimate = test$beta, standard_error = test$SE, degrees_of_freedom = df)
}

# The variance of the difference by the scores of blocks, and by those of environments in single blocks, where the mean
# residual of each environment in each cell is taken out and residuals are scaled as if it were known.
disturbances <- function(rows) {
  of <- fitted(rows)
  rows <- of$rows
  w <- rows$share
  side <- residuals(lm(as.numeric(side == "candidate") ~ group, data = rows, weights = share))
  information <- sum(w * side^2)
  by <- function(score, what) tapply(score, what, sum)
  by_block <- function(residual) sum(by(w * side * residual / information, rows$block)^2)
  residual <- residuals(of$fit)
  plain <- vcovCL(of$fit, cluster = rows$block, type = "HC0", cadj = FALSE)["sidecandidate", "sidecandidate"]
  stopifnot(all.equal(by_block(residual), plain))
  of_cell <- ave(w, rows$cluster, rows$cell, FUN = length)
  # The only value of an environment in a cell is its own mean.
  centred <- (residual - ave(residual, rows$cluster, rows$cell)) / sqrt(1 - 1 / pmax(of_cell, 2))
  deviation <- ifelse(of_cell == 1, residual, centred)
  own <- w / ave(w, rows$group, FUN = sum)
  visit <- paste(rows$cluster, rows$block)
  weight <- by(abs(w * side), rows$block)^2
  c(
    of_blocks = by_block(deviation),
    of_calls = sum(by(w * side * deviation / information, visit)^2 / (1 - tapply(own, visit, mean))),
    degrees_of_freedom = sum(weight)^2 / sum(weight^2) - 1
  )
}

# The mean of a fleet by two-phase sampling: of all environments the CPU model is known, of some the value.
two_phase <- function(rows) {
  rows$measured <- !is.na(rows$value)
  design <- twophase(
    id = list(~environment, ~environment), strata = list(NULL, ~cpu), subset = ~measured, data = rows, method = "full"
  )
  mean <- svymean(~value, design)
  c(estimate = coef(mean)[[1]], variance = attr(mean, "var")[[1]])
}
census <- read.csv(file.path(here, "census.csv"))
of_sides <- sapply(split(census, census$side), two_phase)
difference <- data.frame(
  estimate = of_sides["estimate", "candidate"] - of_sides["estimate", "baseline"],
  standard_error = sqrt(sum(of_sides["variance", ]))
)
write.csv(difference, file.path(here, "two_phase.csv"), quote = FALSE, row.names = FALSE)

# Each environment in one block, as in a cold campaign.
cold <- transform(rows, cluster = paste(side, seq_along(value)))
results <- rbind(
  "unbalanced CR2" = estimate(rows, "CR2"),
  "unbalanced CR3" = estimate(rows, "CR3"),
  "cold CR2" = estimate(cold, "CR2"),
  "cold CR3" = estimate(cold, "CR3")
)
p <- c(0.01, 0.04, 0.03, 0.005, 0.5)
# Something that hits one side or the other in some blocks.
disturbed <- transform(rows, value = value + 0.05 * ((block * ifelse(side == "baseline", 7, 14)) %% 5))
# A second cell, in which some environments have no value in some blocks.
other <- transform(rows, cell = 1, value = 0.5 * value + 0.02 * ((environment * block) %% 3))
two_cells <- rbind(disturbed, other[(other$environment + other$block) %% 4 != 0, ])
disturbed <- rbind(
  undisturbed = disturbances(rows),
  disturbed = disturbances(disturbed),
  "two cells" = disturbances(two_cells)
)
write.csv(disturbed, file.path(here, "disturbances.csv"), quote = FALSE)
write.csv(results, file.path(here, "r.csv"), quote = FALSE)
write.csv(data.frame(p, holm = p.adjust(p, "holm")), file.path(here, "holm.csv"), quote = FALSE, row.names = FALSE)
